/**
 * The meta-gradient: how the loss after adaptation changes with the parameters before it (paper, algorithm 1;
 * docs/method.md), without a tape through the inner loop.
 *
 * Forward, θ_{j+1} = θ_j − α_j ∘ ∇L_support(θ_j); only the parameters θ_0 … θ_T stay. Then the adjoint recursion walks
 * back, with q_j = w_j ∇L_query(θ_j) and H_j the support loss's Hessian at θ_j:
 *
 *     v ← q_T;   for j = T−1 … 0:   v ← v − H_j (α_j ∘ v) + q_j   (q_0 = 0);   meta-gradient = v
 *
 * Activations are recomputed on the way, so their memory is that of one inner step whatever T is. The last step's are
 * fresh when the recursion starts, so they are kept and not recomputed. Passes per layer and inner step: 3 forward and
 * back on support, 3 on query, 6 for the Hessian's product, and 2 to recompute: 12 for the last step, 14 for others.
 *
 * With learned rates, before step j is undone, ∂/∂log α_{j,p} = −α_{j,p} ⟨v_p, ∇_p L_support(θ_j)⟩. First order leaves
 * H_j out: the meta-gradient is then the sum of the q_j.
 */
import * as tf from "@tensorflow/tfjs-core";
import { type Architecture, metaLayout, parameterLayout } from "../model/layout.js";
import { downloadWeights, forward, uploadWeights, type Weights } from "../model/network.js";
import { portableExp } from "../random/portable-math.js";
import { type Batch, lossGradient, type Tape } from "./gradient.js";
import { hessianVectorProduct } from "./hessian.js";
import { type Loss, l1Loss } from "./loss.js";
import { axpy } from "./ops.js";
import { type PatchPairs, uploadPairs } from "./patch-pairs.js";

export interface MetaProblem {
  readonly architecture: Architecture;
  /** θ_0 in the order of `metaLayout`: with learned rates, their logarithms follow the network. */
  readonly theta: Float32Array;
  /** α where rates are not learned. */
  readonly innerRate: number;
  /** T ≥ 1 */
  readonly innerSteps: number;
  readonly learnedRates: boolean;
  /** w_1 … w_T of the query losses at θ_1 … θ_T. A query pass of weight 0 is not done, save the last loss. */
  readonly stepWeights: ArrayLike<number>;
  readonly order: 1 | 2;
  readonly support: PatchPairs;
  readonly query: PatchPairs;
  /** Costs one pass forward. Default true. */
  readonly reportInitialQueryLoss?: boolean;
  /**
   * Inner steps, from the last one back, whose activations stay for the walk back: each saves two passes of 14 and
   * costs the memory of one more step. The result is the same to the bit. Default 1.
   */
  readonly keptSteps?: number;
  /** Default L1, as in the paper. */
  readonly loss?: Loss;
}

export interface MetaGradient {
  /** In the order of `metaLayout`. */
  readonly gradient: Float32Array;
  /** At θ_0 … θ_{T−1}. */
  readonly supportLosses: number[];
  /** At θ_0 … θ_T; NaN where it was not computed. */
  readonly queryLosses: number[];
  /** Σ_j w_j L_query(θ_j), j = 1 … T. */
  readonly outerLoss: number;
}

/**
 * Computes one task's meta-gradient on the active backend. Nothing stays allocated there, also after an error.
 *
 * @throws Error when an array has not the size that the problem says
 */
export async function metaGradient(problem: MetaProblem): Promise<MetaGradient> {
  const layout = metaLayout(problem.architecture, problem.innerSteps, problem.learnedRates);
  requireLength("theta", problem.theta, layout.size);
  requireLength("stepWeights", problem.stepWeights, problem.innerSteps);
  requirePairs("support", problem.support);
  requirePairs("query", problem.query);
  const walk = tf.tidy(() => walkForwardAndBack(problem) as unknown as tf.TensorContainer) as unknown as Walk;
  try {
    const gradient = new Float32Array(layout.size);
    const network = await downloadWeights(walk.gradient);
    gradient.set(network);
    if (walk.rateProducts !== undefined) gradient.set(await rateGradient(problem, walk.rateProducts), network.length);
    const queryLosses = await downloadScalars(walk.queryLosses);
    const outerLoss = queryLosses.slice(1).reduce((sum, loss, j) => sum + weighted(problem.stepWeights[j]!, loss), 0);
    return { gradient, supportLosses: await downloadScalars(walk.supportLosses), queryLosses, outerLoss };
  } finally {
    tf.dispose(walk as unknown as tf.TensorContainer);
  }
}

/** What the walks leave on the backend. */
interface Walk {
  readonly gradient: tf.Tensor[];
  readonly supportLosses: tf.Tensor[];
  readonly queryLosses: (tf.Tensor | undefined)[];
  /** ⟨v_p, ∇_p L_support(θ_j)⟩, [T, tensors]. */
  readonly rateProducts: tf.Tensor | undefined;
}

/** One inner step as the recursion needs it. */
interface InnerStep {
  readonly theta: Weights;
  readonly supportLoss: tf.Tensor;
  /** Kept only where rates are learned. */
  readonly supportGradient: Weights | undefined;
  readonly tape: Tape | undefined;
}

function walkForwardAndBack(problem: MetaProblem): Walk {
  const support = uploadPairs(problem.support);
  const query = uploadPairs(problem.query);
  const { steps, adapted } = walkForward(problem, support);
  const { gradient, rateProducts, queryLosses } = walkBack(problem, support, query, steps, adapted);
  return { gradient, rateProducts, queryLosses, supportLosses: steps.map(({ supportLoss }) => supportLoss) };
}

/** The inner loop: θ_0 … θ_{T−1} with their steps, and θ_T. */
function walkForward(problem: MetaProblem, support: Batch): { steps: InnerStep[]; adapted: Weights } {
  const steps: InnerStep[] = [];
  let theta: Weights = uploadWeights(problem.architecture, problem.theta);
  for (let j = 0; j < problem.innerSteps; j++) {
    const keepTape = problem.order === 2 && j >= problem.innerSteps - (problem.keptSteps ?? 1);
    const { loss, gradient, tape } = tidy(() => lossGradient(theta, support, lossOf(problem), { keepTape }));
    const rates = innerRates(problem, j);
    const next = theta.map((tensor, p) => axpy(-rates[p]!, gradient[p]!, tensor));
    if (!problem.learnedRates) tf.dispose(gradient);
    steps.push({ theta, supportLoss: loss, supportGradient: problem.learnedRates ? gradient : undefined, tape });
    theta = next;
  }
  return { steps, adapted: theta };
}

/** The adjoint recursion, with the query passes on its way. */
function walkBack(
  problem: MetaProblem,
  support: Batch,
  query: Batch,
  steps: readonly InnerStep[],
  adapted: Weights,
): Omit<Walk, "supportLosses"> {
  const queryLosses = new Array<tf.Tensor | undefined>(problem.innerSteps + 1);
  const rateProducts = new Array<tf.Tensor>(problem.innerSteps);
  let v = queryTerm(problem, adapted, query, problem.innerSteps, queryLosses) ?? adapted.map((t) => tf.zerosLike(t));
  tf.dispose([...adapted]);
  for (let j = problem.innerSteps - 1; j >= 0; j--) {
    const { theta, supportGradient, tape } = steps[j]!;
    if (supportGradient !== undefined) rateProducts[j] = innerProducts(v, supportGradient);
    if (problem.order === 2) v = undoInnerStep(problem, j, theta, support, v, tape);
    const term = queryTerm(problem, theta, query, j, queryLosses);
    if (term !== undefined) v = replace(v, term, 1);
    tf.dispose([...theta]);
    if (supportGradient !== undefined) tf.dispose([...supportGradient]);
  }
  return { gradient: v, queryLosses, rateProducts: problem.learnedRates ? tf.stack(rateProducts) : undefined };
}

/** v − H_j (α_j ∘ v); takes v and the tape. */
function undoInnerStep(
  problem: MetaProblem,
  j: number,
  theta: Weights,
  support: Batch,
  v: tf.Tensor[],
  tape: Tape | undefined,
): tf.Tensor[] {
  const rates = innerRates(problem, j);
  const direction = v.map((tensor, p) => tf.mul(tensor, rates[p]!));
  const product = tidy(() => hessianVectorProduct(theta, support, lossOf(problem), direction, tape));
  tf.dispose(direction);
  return replace(v, product, -1);
}

/** q_j = w_j ∇L_query(θ_j), if it has a weight; notes the query loss where it is wanted. */
function queryTerm(
  problem: MetaProblem,
  theta: Weights,
  query: Batch,
  j: number,
  losses: (tf.Tensor | undefined)[],
): tf.Tensor[] | undefined {
  const weight = j === 0 ? 0 : problem.stepWeights[j - 1]!;
  if (weight !== 0) {
    const { loss, gradient } = tidy(() => lossGradient(theta, query, lossOf(problem), { weight }));
    losses[j] = loss;
    return gradient;
  }
  const reported = j === problem.innerSteps || (j === 0 && problem.reportInitialQueryLoss !== false);
  if (reported) losses[j] = tf.tidy(() => lossOf(problem).value(forward(theta, query.x), query.y));
  return undefined;
}

/** α_j, one per tensor. Beyond the learned steps the last one's rates hold. */
function innerRates({ architecture, theta, innerRate, learnedRates }: MetaProblem, j: number): number[] {
  const { entries, size } = parameterLayout(architecture);
  return entries.map((_, p) => (learnedRates ? portableExp(theta[size + j * entries.length + p]!) : innerRate));
}

/** ⟨a_p, b_p⟩ for every tensor p, [tensors]. */
function innerProducts(a: Weights, b: Weights): tf.Tensor {
  return tf.tidy(() => tf.stack(a.map((tensor, p) => tf.sum(tf.mul(tensor, b[p]!)))));
}

async function rateGradient(problem: MetaProblem, rateProducts: tf.Tensor): Promise<Float32Array> {
  const products = await rateProducts.data<"float32">();
  const tensors = products.length / problem.innerSteps;
  const rates = Array.from({ length: problem.innerSteps }, (_, j) => innerRates(problem, j));
  return products.map((product, i) => -rates[Math.floor(i / tensors)]![i % tensors]! * product);
}

/** a·x + y for every tensor; takes both. */
function replace(y: tf.Tensor[], x: tf.Tensor[], a: number): tf.Tensor[] {
  const sum = y.map((tensor, p) => axpy(a, x[p]!, tensor));
  tf.dispose([y, x]);
  return sum;
}

async function downloadScalars(tensors: readonly (tf.Tensor | undefined)[]): Promise<number[]> {
  const losses: number[] = [];
  for (const tensor of tensors) losses.push(tensor === undefined ? Number.NaN : (await tensor.data())[0]!);
  return losses;
}

function weighted(weight: number, loss: number): number {
  return weight === 0 ? 0 : weight * loss;
}

function lossOf({ loss }: MetaProblem): Loss {
  return loss ?? l1Loss;
}

function requirePairs(name: string, { shape, x, y }: PatchPairs): void {
  const size = shape.reduce((product, side) => product * side, 1);
  requireLength(`${name}.x`, x, size);
  requireLength(`${name}.y`, y, size);
}

function requireLength(name: string, values: ArrayLike<number>, length: number): void {
  if (values.length !== length) throw new Error(`${name} has ${values.length} elements where ${length} belong`);
}

/** `tf.tidy` for results that are plain objects of tensors. */
function tidy<T>(f: () => T): T {
  return tf.tidy(() => f() as tf.TensorContainer) as T;
}
