/** What workers of doubtful character do to an outcome. */
import type { TaskOutcome, WorkerToCoordinator } from "@mzsr/shared";
import type { Random } from "./random.js";
import type { WorkerPlan } from "./scenario.js";

/** Liars at most. */
export const LIARS = 3;

/** How computing a task ends. */
export type Ending = { readonly outcome: TaskOutcome } | { readonly failure: string } | "never";

export function endingOf({ character, liar }: WorkerPlan, outcome: TaskOutcome, random: Random): Ending {
  switch (character) {
    case "silent":
      return "never";
    case "refusing":
      return { failure: "no such device" };
    case "garbling":
      return { outcome: malformed(outcome, random) };
    case "hanging":
      return random.chance(0.3) ? "never" : { outcome };
    case "failing":
      return random.chance(0.4) ? { failure: "out of memory" } : { outcome };
    case "malformed":
      return { outcome: random.chance(0.4) ? malformed(outcome, random) : outcome };
    case "flipping":
      return { outcome: random.chance(0.5) ? flipOneBit(outcome, liar, random) : outcome };
    case "honest":
    case "slow":
    case "slowing":
    case "foreign":
      return { outcome };
  }
}

function malformed(outcome: TaskOutcome, random: Random): TaskOutcome {
  const { gradient } = outcome;
  const place = random.integer(0, gradient.length - 1);
  const withElement = (value: number) => ({ ...outcome, gradient: gradient.with(place, value) });
  return random.pick([
    () => withElement(Number.NaN),
    () => withElement(Number.NEGATIVE_INFINITY),
    () => withElement(1e35),
    () => ({ ...outcome, gradient: gradient.slice(1) }),
    () => ({ ...outcome, gradient: new Float32Array(0) }),
    () => ({ ...outcome, step: outcome.step + 1 }),
    () => ({ ...outcome, index: outcome.index + 1 }),
    () => ({ ...outcome, supportLosses: outcome.supportLosses.map(() => Number.NaN) }),
    () => ({ ...outcome, queryLosses: [...outcome.queryLosses, 1] }),
  ])();
}

type GroupMessage = Extract<WorkerToCoordinator, { type: "group" }>;

/** Nothing in it is plausible: a group whose sum is slightly wrong is for audits to find, which compare its tasks one by one. */
export function malformedGroup(message: GroupMessage, random: Random): GroupMessage {
  const { tasks, sum } = message;
  const withHigh = (value: number) => {
    const high = sum.high.slice();
    new DataView(high.buffer).setFloat64(8 * random.integer(0, high.length / 8 - 1), value, true);
    return { ...message, sum: { ...sum, high } };
  };
  return random.pick([
    () => withHigh(Number.NaN),
    () => withHigh(2 ** 33),
    () => withHigh(0.3),
    () => ({ ...message, sum: { ...sum, low: sum.low.slice(8) } }),
    () => ({ ...message, tasks: tasks.map((task) => ({ ...task, report: { ...task.report, step: 10_000 } })) }),
    () => ({ ...message, tasks: [...tasks.slice(1), { ...tasks[0]!, lease: "never granted" }] }),
  ])();
}

/** A bit of the mantissa: the number stays plausible. Two liars never flip the same: who agrees is believed. */
function flipOneBit(outcome: TaskOutcome, liar: number, random: Random): TaskOutcome {
  const gradient = outcome.gradient.slice();
  const bits = new Uint32Array(gradient.buffer);
  const place = random.integer(0, bits.length - 1);
  bits[place] = (bits[place]! ^ (1 << (LIARS * random.integer(0, 6) + liar))) >>> 0;
  return { ...outcome, gradient };
}
