/** Fits regressions: the linear part in closed form, the hidden layer to what that leaves, by Adam. */
import type { Draws } from "../random/draws.js";
import type { Regression } from "./regression.js";
import { solveSymmetric } from "./symmetric-solve.js";

/** Rows of inputs and of what they should give. */
export interface Examples {
  readonly x: readonly Float64Array[];
  readonly y: readonly Float64Array[];
}

export interface FitOptions {
  /** Of the linear part's squared weights. */
  readonly ridge: number;
  /** Units; 0 for a linear regression. */
  readonly hidden: number;
  readonly epochs: number;
  readonly draws: Draws;
}

/** A scale that no input varies by at all. */
const LEAST_SCALE = 1e-6;
const BATCH = 128;
const RATE = 3e-3;
const ADAM = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 } as const;

export function fitRegression({ x, y }: Examples, options: FitOptions): Regression {
  const mean = meanOf(x);
  const scale = deviationOf(x, mean).map((deviation) => deviation + LEAST_SCALE);
  const z = x.map((row) => row.map((value, i) => (value - mean[i]!) / scale[i]!));
  const bias = meanOf(y);
  const linear = ridge(z, y, bias, options.ridge);
  const [inputs, outputs] = [mean.length, bias.length];
  const left = z.map((row, at) => residual(row, y[at]!, linear, bias));
  const layer = fitHidden(z, left, options);
  for (let o = 0; o < outputs; o++) bias[o]! += layer.outBias[o]!;
  const f32 = (values: Float64Array) => Float32Array.from(values);
  return {
    inputs,
    outputs,
    hidden: options.hidden,
    mean: f32(mean),
    scale: f32(scale),
    linear: f32(linear),
    bias: f32(bias),
    hiddenWeights: f32(layer.hiddenWeights),
    hiddenBias: f32(layer.hiddenBias),
    outWeights: f32(layer.outWeights),
  };
}

function meanOf(rows: readonly Float64Array[]): Float64Array {
  const sum = new Float64Array(rows[0]!.length);
  for (const row of rows) for (let i = 0; i < sum.length; i++) sum[i]! += row[i]!;
  return sum.map((value) => value / rows.length);
}

function deviationOf(rows: readonly Float64Array[], mean: Float64Array): Float64Array {
  const squares = new Float64Array(mean.length);
  for (const row of rows) for (let i = 0; i < mean.length; i++) squares[i]! += (row[i]! - mean[i]!) ** 2;
  return squares.map((value) => Math.sqrt(value / rows.length));
}

/** [inputs, outputs]: (ZᵀZ + strength · I)⁻¹ Zᵀ (Y − bias). */
function ridge(
  z: readonly Float64Array[],
  y: readonly Float64Array[],
  bias: Float64Array,
  strength: number,
): Float64Array {
  const [n, outputs] = [z[0]!.length, bias.length];
  const gram = new Float64Array(n * n);
  const moments = new Float64Array(n * outputs);
  z.forEach((row, at) => {
    for (let i = 0; i < n; i++) {
      const value = row[i]!;
      for (let j = 0; j <= i; j++) gram[i * n + j]! += value * row[j]!;
      for (let o = 0; o < outputs; o++) moments[i * outputs + o]! += value * (y[at]![o]! - bias[o]!);
    }
  });
  for (let i = 0; i < n; i++) gram[i * n + i]! += strength;
  solveSymmetric(gram, moments, n);
  return moments;
}

function residual(z: Float64Array, y: Float64Array, linear: Float64Array, bias: Float64Array): Float64Array {
  const left = y.map((value, o) => value - bias[o]!);
  for (let i = 0; i < z.length; i++) {
    for (let o = 0; o < left.length; o++) left[o]! -= z[i]! * linear[i * left.length + o]!;
  }
  return left;
}

interface HiddenLayer {
  readonly hiddenWeights: Float64Array;
  readonly hiddenBias: Float64Array;
  readonly outWeights: Float64Array;
  readonly outBias: Float64Array;
}

/** Squared error over shuffled batches; the rate falls to 0 along a cosine. The output starts as 0. */
function fitHidden(
  z: readonly Float64Array[],
  y: readonly Float64Array[],
  { hidden, epochs, draws }: FitOptions,
): HiddenLayer {
  const [inputs, outputs] = [z[0]!.length, y[0]!.length];
  const layer: HiddenLayer = {
    hiddenWeights: Float64Array.from({ length: inputs * hidden }, () => draws.normal() / Math.sqrt(inputs)),
    hiddenBias: new Float64Array(hidden),
    outWeights: new Float64Array(hidden * outputs),
    outBias: new Float64Array(outputs),
  };
  if (hidden === 0) return layer;
  const parameters = Object.values(layer) as Float64Array[];
  const adam = parameters.map((values) => new AdamMoments(values));
  const batch = Math.min(BATCH, z.length);
  const perEpoch = Math.floor(z.length / batch);
  const gradient = parameters.map((values) => new Float64Array(values.length));
  const order = Int32Array.from({ length: z.length }, (_, i) => i);
  for (let step = 0; step < epochs * perEpoch; step++) {
    const place = step % perEpoch;
    if (place === 0) shuffle(order, draws);
    for (const values of gradient) values.fill(0);
    for (const at of order.subarray(place * batch, (place + 1) * batch)) {
      addGradient(layer, gradient, z[at]!, y[at]!, 1 / batch);
    }
    const rate = (RATE * (1 + Math.cos((Math.PI * (step + 1)) / (epochs * perEpoch)))) / 2;
    adam.forEach((moments, p) => void moments.descend(gradient[p]!, rate));
  }
  return layer;
}

/** Of half the squared error, weighted. */
function addGradient(
  layer: HiddenLayer,
  gradient: readonly Float64Array[],
  z: Float64Array,
  y: Float64Array,
  weight: number,
) {
  const { hiddenWeights, outWeights } = layer;
  const [hiddenGradient, hiddenBiasGradient, outGradient, outBiasGradient] = gradient as Float64Array[];
  const [hidden, outputs] = [layer.hiddenBias.length, y.length];
  const units = layer.hiddenBias.slice();
  for (let i = 0; i < z.length; i++) {
    for (let h = 0; h < hidden; h++) units[h]! += z[i]! * hiddenWeights[i * hidden + h]!;
  }
  for (let h = 0; h < hidden; h++) units[h] = Math.tanh(units[h]!);
  const delta = new Float64Array(hidden);
  for (let o = 0; o < outputs; o++) {
    let error = layer.outBias[o]! - y[o]!;
    for (let h = 0; h < hidden; h++) error += units[h]! * outWeights[h * outputs + o]!;
    error *= weight;
    outBiasGradient![o]! += error;
    for (let h = 0; h < hidden; h++) {
      outGradient![h * outputs + o]! += error * units[h]!;
      delta[h]! += error * outWeights[h * outputs + o]!;
    }
  }
  for (let h = 0; h < hidden; h++) {
    delta[h]! *= 1 - units[h]! ** 2;
    hiddenBiasGradient![h]! += delta[h]!;
  }
  for (let i = 0; i < z.length; i++) {
    for (let h = 0; h < hidden; h++) hiddenGradient![i * hidden + h]! += z[i]! * delta[h]!;
  }
}

/** Adam (Kingma and Ba 2015) on one tensor. */
class AdamMoments {
  readonly #values: Float64Array;
  readonly #first: Float64Array;
  readonly #second: Float64Array;
  #step = 0;

  constructor(values: Float64Array) {
    this.#values = values;
    this.#first = new Float64Array(values.length);
    this.#second = new Float64Array(values.length);
  }

  descend(gradient: Float64Array, rate: number): void {
    const { beta1, beta2, epsilon } = ADAM;
    this.#step++;
    const [bias1, bias2] = [1 - beta1 ** this.#step, 1 - beta2 ** this.#step];
    for (let i = 0; i < gradient.length; i++) {
      this.#first[i] = beta1 * this.#first[i]! + (1 - beta1) * gradient[i]!;
      this.#second[i] = beta2 * this.#second[i]! + (1 - beta2) * gradient[i]! * gradient[i]!;
      this.#values[i]! -= (rate * (this.#first[i]! / bias1)) / (Math.sqrt(this.#second[i]! / bias2) + epsilon);
    }
  }
}

/** Fisher and Yates. */
function shuffle(order: Int32Array, draws: Draws): void {
  for (let i = order.length - 1; i > 0; i--) {
    const j = draws.integer(i + 1);
    const kept = order[i]!;
    order[i] = order[j]!;
    order[j] = kept;
  }
}
