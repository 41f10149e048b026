/** What workers of doubtful character do to an outcome. */
import type { TaskOutcome } from "@mzsr/shared";
import type { Random } from "./random.js";
import type { Character } from "./scenario.js";

/** How computing a task ends. */
export type Ending = { readonly outcome: TaskOutcome } | { readonly failure: string } | "never";

export function endingOf(character: Character, outcome: TaskOutcome, random: Random): Ending {
  switch (character) {
    case "hanging":
      return random.chance(0.3) ? "never" : { outcome };
    case "failing":
      return random.chance(0.4) ? { failure: "out of memory" } : { outcome };
    case "junk":
      return { outcome: random.chance(0.4) ? junk(outcome, random) : outcome };
    case "flipping":
      return { outcome: random.chance(0.5) ? flipOneBit(outcome, random) : outcome };
    case "honest":
    case "slow":
    case "foreign":
      return { outcome };
  }
}

function junk(outcome: TaskOutcome, random: Random): TaskOutcome {
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

/** A bit of the mantissa: the number stays plausible. */
function flipOneBit(outcome: TaskOutcome, random: Random): TaskOutcome {
  const gradient = outcome.gradient.slice();
  const bits = new Uint32Array(gradient.buffer);
  const place = random.integer(0, bits.length - 1);
  bits[place] = (bits[place]! ^ (1 << random.integer(0, 22))) >>> 0;
  return { ...outcome, gradient };
}
