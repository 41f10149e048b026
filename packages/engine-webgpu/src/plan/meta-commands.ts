/**
 * A batch of meta-gradients as one list of dispatches (the mathematics is in `metaGradient` of the core):
 * the inner loop over the support sets; the query gradients at all θ_j; the adjoint recursion back.
 */
import type { Command, Slice } from "./command.js";
import { type MemoryUse, type MetaPlan, resultLayout, type SetName } from "./meta-plan.js";
import { pixelsOf } from "./shapes.js";
import { backCommands, filterCommands, floats, forwardCommands, productCommands, Slices } from "./walks.js";

/** @param batch K of this batch, at most `use.tasks` */
export function metaCommands(plan: MetaPlan, use: MemoryUse, batch: number): Command[] {
  return [
    ...unpackCommands(plan, batch),
    ...innerLoop(plan, use, batch),
    ...queryGradients(plan, use, batch),
    ...recursion(plan, use, batch),
    ...lossCommands(plan, batch),
  ];
}

/** Loss and gradient over the support sets alone: pretraining. */
export function minibatchCommands(plan: MetaPlan, batch: number): Command[] {
  const slices = new Slices(plan, batch);
  const walk = { set: "support", walk: "tape0", batch, step: 0, steps: 1 } as const;
  const partials = slices.partials(batch, plan.sets.support.splits);
  const sum = { kernel: "support sum", bindings: { partials, output: slices.parameters("v0") }, tasks: batch };
  const [loss] = lossCommands(plan, batch);
  return [
    ...unpackCommands(plan, batch, ["support"]),
    ...gradientCommands(plan, walk),
    sum,
    packed(plan, batch, slices.parameters("v0")),
    loss!,
  ];
}

/** One step of gradient descent over the support sets: parameters after it, loss before it. */
export function descentCommands(plan: MetaPlan, batch: number): Command[] {
  const walk = { set: "support", walk: "tape0", batch, step: 0, steps: 1 } as const;
  const [loss] = lossCommands(plan, batch);
  return [
    ...unpackCommands(plan, batch, ["support"]),
    ...gradientCommands(plan, walk),
    descendCommand(plan, batch, 0),
    packed(plan, batch, new Slices(plan, batch).parameters("theta", 1)),
    loss!,
  ];
}

/** The network's output for the images of the support sets, as one vec4 a pixel in `result`. */
export function forwardOnlyCommands(plan: MetaPlan, batch: number): Command[] {
  const { depth } = plan.shape.architecture;
  const slices = new Slices(plan, batch);
  const walk = { set: "support", walk: "tape0", batch, step: 0, steps: 1 } as const;
  // Nothing is walked back through, so two buffers take turns.
  const activation = (layer: number) =>
    slices.hidden(`tape0 ${layer % 2 === 0 ? "activation1" : "delta1"}`, "support", 1);
  const layers = forwardCommands(plan, walk)
    .slice(0, -1)
    .map((command, i): Command => {
      const bindings = { ...command.bindings, output: activation(i + 1), ...(i > 0 ? { source0: activation(i) } : {}) };
      return { ...command, bindings };
    });
  const bindings = {
    source0: activation(depth - 1),
    weights0: slices.parameters("theta", 0, 1, depth),
    image: slices.images("support", "x"),
    output: floats("result", 0, 4 * batch * plan.sets.support.imageStride),
  };
  return [...unpackCommands(plan, batch, ["support"]), ...layers, { kernel: "support output", bindings, tasks: batch }];
}

function unpackCommands(plan: MetaPlan, batch: number, sets: readonly SetName[] = ["support", "query"]): Command[] {
  const slices = new Slices(plan, batch);
  const images = sets.map((set): Command => {
    const raw = 3 * batch * pixelsOf(plan.sets[set].shape);
    const bindings = {
      rawX: slices.whole(`uploaded ${set} x`, raw),
      rawY: slices.whole(`uploaded ${set} y`, raw),
      x: slices.images(set, "x"),
      y: slices.images(set, "y"),
    };
    return { kernel: `${set} unpack`, bindings, tasks: batch };
  });
  const spread = {
    uploaded: slices.whole("uploaded theta", batch * plan.networkFloats),
    flatOf: slices.whole("flat of padded", plan.layout.stride),
    batch: slices.batch(),
    output: slices.parameters("theta"),
  };
  return [...images, { kernel: "spread", bindings: spread, tasks: batch }];
}

/** The tape that inner step j writes: the last `keptSteps` have their own, those before share the first. */
export function tapeOf({ shape }: MetaPlan, { keptSteps }: MemoryUse, step: number): string {
  return `tape${Math.max(0, step - (shape.innerSteps - keptSteps))}`;
}

/** θ_{j+1} = θ_j − α_j ∘ ∇L_support(θ_j), j = 0 … T − 1. */
function innerLoop(plan: MetaPlan, use: MemoryUse, batch: number): Command[] {
  return Array.from({ length: plan.shape.innerSteps }, (_, step) => {
    const walk = { set: "support", walk: tapeOf(plan, use, step), batch, step, steps: 1 } as const;
    return [...gradientCommands(plan, walk), descendCommand(plan, batch, step)];
  }).flat();
}

function descendCommand(plan: MetaPlan, batch: number, step: number): Command {
  const slices = new Slices(plan, batch);
  const bindings = {
    partials: slices.partials(batch, plan.sets.support.splits),
    theta: slices.parameters("theta", step),
    rows: slices.rows(step),
    tensorOf: slices.whole("tensor of group", plan.layout.stride / 4),
    next: slices.parameters("theta", step + 1),
    ...(plan.shape.learnedRates ? { gradient: slices.parameters("support gradients", step) } : {}),
  };
  return { kernel: "descend", bindings, tasks: batch };
}

function gradientCommands(plan: MetaPlan, walk: Parameters<typeof forwardCommands>[1]): Command[] {
  return [...forwardCommands(plan, walk), ...backCommands(plan, walk), ...filterCommands(plan, walk)];
}

/** q_j = w_j ∇L_query(θ_j), j = 1 … T, so many at once as memory allows; L_query(θ_0) if it is wanted. */
function queryGradients(plan: MetaPlan, { queriesAtOnce }: MemoryUse, batch: number): Command[] {
  const slices = new Slices(plan, batch);
  const commands: Command[] = [];
  for (let step = plan.firstQuery; step <= plan.shape.innerSteps; step += queriesAtOnce) {
    const steps = Math.min(queriesAtOnce, plan.shape.innerSteps + 1 - step);
    const walk = { set: "query", walk: "walk", batch } as const;
    commands.push(...forwardCommands(plan, { ...walk, step, steps }));
    const skipped = step === 0 ? 1 : 0;
    if (steps === skipped) continue;
    const back = { ...walk, step: step + skipped, steps: steps - skipped, skipped };
    const bindings = {
      partials: slices.partials(batch * back.steps, plan.sets.query.splits),
      output: slices.parameters("query gradients", back.step - 1, back.steps),
    };
    commands.push(...backCommands(plan, back), ...filterCommands(plan, back));
    commands.push({ kernel: "query sum", bindings, tasks: batch * back.steps });
  }
  return commands;
}

/** v ← q_T; v ← v − H_j (α_j ∘ v) + q_j, j = T − 1 … 0; then v as the result. */
function recursion(plan: MetaPlan, use: MemoryUse, batch: number): Command[] {
  const { innerSteps, order } = plan.shape;
  const slices = new Slices(plan, batch);
  const query = (step: number) => slices.parameters("query gradients", step - 1);
  const along = (step: number) => ({
    rows: slices.rows(step),
    tensorOf: slices.whole("tensor of group", plan.layout.stride / 4),
    direction: slices.parameters("direction"),
  });
  const start = { v: query(innerSteps), next: slices.parameters("v0") };
  const directed = order === 2 ? along(innerSteps - 1) : {};
  const commands: Command[] = [{ kernel: "adjoint start", bindings: { ...start, ...directed }, tasks: batch }];
  for (let step = innerSteps - 1; step >= 0; step--) {
    const done = innerSteps - 1 - step;
    const v = slices.parameters(`v${done % 2}`);
    commands.push(...rateProducts(plan, batch, step, v));
    if (order === 2) {
      commands.push(...tapeCommands(plan, use, batch, step));
      commands.push(...productCommands(plan, { tape: tapeOf(plan, use, step), batch, step }));
    }
    const bindings = {
      v,
      next: slices.parameters(`v${(done + 1) % 2}`),
      ...(order === 2 ? { partials: slices.partials(batch, plan.sets.support.splits) } : {}),
      ...(step > 0 ? { query: query(step) } : {}),
      ...(step > 0 && order === 2 ? along(step - 1) : {}),
    };
    commands.push({ kernel: step > 0 ? "adjoint" : "adjoint end", bindings, tasks: batch });
  }
  return [...commands, packed(plan, batch, slices.parameters(`v${innerSteps % 2}`))];
}

/** Parameters of all tasks as the result's gradient. */
function packed(plan: MetaPlan, batch: number, padded: Slice): Command {
  const slices = new Slices(plan, batch);
  const bindings = {
    padded,
    paddedOf: slices.whole("padded of flat", plan.networkFloats),
    output: floats("result", resultLayout(plan, batch).gradient, batch * plan.networkFloats),
  };
  return { kernel: "pack", bindings, tasks: batch };
}

/** Activations and gradients of an inner step once more, where they were not kept. */
function tapeCommands(plan: MetaPlan, use: MemoryUse, batch: number, step: number): Command[] {
  if (step >= plan.shape.innerSteps - use.keptSteps) return [];
  const walk = { set: "support", walk: tapeOf(plan, use, step), batch, step, steps: 1 } as const;
  return [...forwardCommands(plan, walk), ...backCommands(plan, walk)];
}

/** ⟨v_p, ∇_p L_support(θ_j)⟩ for the rates' gradient. */
function rateProducts(plan: MetaPlan, batch: number, step: number, v: Command["bindings"][string]): Command[] {
  if (!plan.shape.learnedRates) return [];
  const slices = new Slices(plan, batch);
  const { products, productStride } = resultLayout(plan, batch);
  const bindings = {
    a: v,
    b: slices.parameters("support gradients", step),
    tensorGroups: slices.whole("groups of tensor", 2 * plan.tensors),
    output: floats("result", products + step * batch * productStride, batch * productStride),
  };
  return [{ kernel: "inner products", bindings, tasks: batch }];
}

function lossCommands(plan: MetaPlan, batch: number): Command[] {
  const slices = new Slices(plan, batch);
  const result = resultLayout(plan, batch);
  const of = (set: SetName, steps: number, output: Command["bindings"][string]): Command => {
    const bindings = { partials: slices.losses(set, 0, steps), output };
    return { kernel: `${set} loss`, bindings, tasks: batch * steps };
  };
  const { innerSteps } = plan.shape;
  return [
    of("support", innerSteps, floats("result", result.supportLosses, innerSteps * batch)),
    of("query", innerSteps + 1, floats("result", result.queryLosses, (innerSteps + 1) * batch)),
  ];
}
