/**
 * Walks through the network as commands: forward, back, and the sums over pixels, for a run of tasks z whose
 * parameters, activations and settings lie one after the other.
 */
import type { Command, Slice } from "./command.js";
import { lossStride, type MetaPlan, type SetName } from "./meta-plan.js";
import { FLOAT_BYTES, GROUP_BYTES } from "./shapes.js";

/** Which tasks a walk is over. */
export interface WalkOptions {
  readonly set: SetName;
  /** Its buffers: `tape0`, …, or `walk`. */
  readonly walk: string;
  /** K of this batch. */
  readonly batch: number;
  /** First inner step j: parameters θ_j. */
  readonly step: number;
  /** Steps computed at once. */
  readonly steps: number;
  /** Steps at the start of the walk's buffers that are left out. */
  readonly skipped?: number;
}

/** Slices of a plan's buffers, for batches of K tasks. */
export class Slices {
  readonly #plan: MetaPlan;
  readonly #batch: number;

  constructor(plan: MetaPlan, batch: number) {
    this.#plan = plan;
    this.#batch = batch;
  }

  /** Parameters of `steps` steps from `step` on, seen from layer `layer` on (from 1). */
  parameters(region: string, step = 0, steps = 1, layer = 1): Slice {
    const { stride, layers } = this.#plan.layout;
    const within = layers[layer - 1]!.offset;
    const first = step * this.#batch * stride + within;
    return floats(region, first, steps * this.#batch * stride - within);
  }

  /** Partial sums of `tasks` tasks, seen from a layer on. */
  partials(tasks: number, splits: number, layer = 1): Slice {
    const { stride, layers } = this.#plan.layout;
    const within = layers[layer - 1]!.offset;
    return floats("partials", within, tasks * splits * stride - within);
  }

  rows(step = 0, steps = 1): Slice {
    const each = this.#batch * this.#plan.rowFloats;
    return floats("rows", step * each, steps * each);
  }

  images(set: SetName, image: "x" | "y"): Slice {
    return groups(`${set} ${image}`, 0, this.#batch * this.#plan.sets[set].imageStride);
  }

  hidden(region: string, set: SetName, steps: number, skipped = 0): Slice {
    const each = this.#batch * this.#plan.sets[set].hiddenStride;
    return groups(region, skipped * each, steps * each);
  }

  last(walk: string, set: SetName, steps: number, skipped = 0): Slice {
    const each = this.#batch * this.#plan.sets[set].imageStride;
    return groups(`${walk} last`, skipped * each, steps * each);
  }

  losses(set: SetName, step: number, steps: number): Slice {
    const each = this.#batch * lossStride(this.#plan.sets[set]);
    return floats(`${set} losses`, step * each, steps * each);
  }

  batch(): Slice {
    return { region: "batch", offset: 0, size: GROUP_BYTES };
  }

  whole(region: string, count: number): Slice {
    return floats(region, 0, count);
  }
}

export function floats(region: string, first: number, count: number): Slice {
  return { region, offset: first * FLOAT_BYTES, size: count * FLOAT_BYTES };
}

function groups(region: string, first: number, count: number): Slice {
  return { region, offset: first * GROUP_BYTES, size: count * GROUP_BYTES };
}

/** Layers 1 … D: activations, the scaled sign of the difference as `last`, and the loss's partial sums. */
export function forwardCommands(plan: MetaPlan, options: WalkOptions): Command[] {
  const { set, walk, batch, step, steps } = options;
  const { depth } = plan.shape.architecture;
  const slices = new Slices(plan, batch);
  const activation = (layer: number) => slices.hidden(`${walk} activation${layer}`, set, steps);
  const commands: Command[] = [];
  const add = (kernel: string, layer: number, bindings: Command["bindings"]) => {
    const weights0 = slices.parameters("theta", step, steps, layer);
    commands.push({ kernel: `${set} ${kernel}`, bindings: { weights0, ...bindings }, tasks: batch * steps });
  };
  const image = slices.images(set, "x");
  add("forward first", 1, { source0: image, batch: slices.batch(), output: activation(1) });
  for (let layer = 2; layer < depth; layer++) {
    add("forward middle", layer, { source0: activation(layer - 1), output: activation(layer) });
  }
  add("forward last", depth, {
    source0: activation(depth - 1),
    batch: slices.batch(),
    image,
    goal: slices.images(set, "y"),
    rows: slices.rows(step, steps),
    partials: slices.losses(set, step, steps),
    output: slices.last(walk, set, steps),
  });
  return commands;
}

/** From `last` down to the gradient with respect to layer 1's output. */
export function backCommands(plan: MetaPlan, options: WalkOptions): Command[] {
  const { set, walk, batch, step, steps, skipped = 0 } = options;
  const { depth } = plan.shape.architecture;
  const slices = new Slices(plan, batch);
  const hidden = (name: string, layer: number) => slices.hidden(`${walk} ${name}${layer}`, set, steps, skipped);
  const commands: Command[] = [];
  for (let layer = depth; layer >= 2; layer--) {
    const source0 = layer === depth ? slices.last(walk, set, steps, skipped) : hidden("delta", layer);
    const bindings = {
      source0,
      weights0: slices.parameters("theta", step, steps, layer),
      mask: hidden("activation", layer - 1),
      output: hidden("delta", layer - 1),
    };
    commands.push({ kernel: `${set} back ${layer === depth ? "last" : "middle"}`, bindings, tasks: batch * steps });
  }
  return commands;
}

/** Partial sums of all layers' gradients. */
export function filterCommands(plan: MetaPlan, options: WalkOptions): Command[] {
  const { set, walk, batch, steps, skipped = 0 } = options;
  const { depth } = plan.shape.architecture;
  const slices = new Slices(plan, batch);
  const tasks = batch * steps;
  const hidden = (name: string, layer: number) => slices.hidden(`${walk} ${name}${layer}`, set, steps, skipped);
  const commands: Command[] = [];
  for (let layer = depth; layer >= 1; layer--) {
    const partials = slices.partials(tasks, plan.sets[set].splits, layer);
    const dy0 = layer === depth ? slices.last(walk, set, steps, skipped) : hidden("delta", layer);
    const place = layer === 1 ? "first" : layer === depth ? "last" : "middle";
    const bindings =
      layer === 1
        ? { x0: slices.images(set, "x"), dy0, batch: slices.batch(), partials }
        : { x0: hidden("activation", layer - 1), dy0, partials };
    commands.push({ kernel: `${set} filters ${place}`, bindings, tasks });
  }
  return commands;
}

/**
 * Partial sums of the Hessian-vector product at θ_j with `direction`, from the tape of the support walk there. The
 * tangents lie in the buffers `walk`; those of activations as activations, those of deltas as deltas.
 */
export function productCommands(plan: MetaPlan, options: { tape: string; batch: number; step: number }): Command[] {
  const { tape, batch, step } = options;
  const { depth } = plan.shape.architecture;
  const slices = new Slices(plan, batch);
  const of = (walk: string, name: string, layer: number) => slices.hidden(`${walk} ${name}${layer}`, "support", 1);
  const theta = (layer: number) => slices.parameters("theta", step, 1, layer);
  const direction = (layer: number) => slices.parameters("direction", 0, 1, layer);
  const image = slices.images("support", "x");
  const last = slices.last(tape, "support", 1);
  const commands: Command[] = [];
  const add = (kernel: string, bindings: Command["bindings"]) => commands.push({ kernel, bindings, tasks: batch });
  for (let layer = 1; layer < depth; layer++) {
    const ends = { mask: of(tape, "activation", layer), output: of("walk", "activation", layer) };
    if (layer === 1) {
      add("tangent first", { source0: image, weights0: direction(1), batch: slices.batch(), ...ends });
    } else {
      const through = { source0: of("walk", "activation", layer - 1), weights0: theta(layer) };
      const along = { source1: of(tape, "activation", layer - 1), weights1: direction(layer) };
      add("tangent middle", { ...through, ...along, ...ends });
    }
  }
  for (let layer = depth; layer >= 2; layer--) {
    const ends = { mask: of(tape, "activation", layer - 1), output: of("walk", "delta", layer - 1) };
    if (layer === depth) {
      add("tangent back last", { source0: last, weights0: direction(depth), ...ends });
    } else {
      const through = { source0: of("walk", "delta", layer), weights0: theta(layer) };
      const along = { source1: of(tape, "delta", layer), weights1: direction(layer) };
      add("tangent back middle", { ...through, ...along, ...ends });
    }
  }
  for (let layer = depth; layer >= 1; layer--) {
    const partials = slices.partials(batch, plan.sets.support.splits, layer);
    if (layer === depth) {
      add("product last", { x0: of("walk", "activation", depth - 1), dy0: last, partials });
    } else if (layer === 1) {
      add("product first", { x0: image, dy0: of("walk", "delta", 1), batch: slices.batch(), partials });
    } else {
      const first = { x0: of("walk", "activation", layer - 1), dy0: of(tape, "delta", layer) };
      const second = { x1: of(tape, "activation", layer - 1), dy1: of("walk", "delta", layer) };
      add("product middle", { ...first, ...second, partials });
    }
  }
  return commands;
}
