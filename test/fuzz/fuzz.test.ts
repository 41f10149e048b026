/**
 * Parsers of bytes from outside under changed inputs: they return or throw our errors, soon, and keep nothing. Here for a
 * moment; `npm run fuzz -- --inputs 1000000` for longer.
 */
import fc from "fast-check";
import { expect, test } from "vitest";
import { leavingNothing, withinBudget } from "./budget.js";
import { mutants } from "./mutations.js";
import { TARGETS } from "./targets.js";

/** Of each parser, unless more are asked for. */
const INPUTS = Number(process.env.MZSR_FUZZ_INPUTS ?? 2_000);
const SEED = Number(process.env.MZSR_FUZZ_SEED ?? 1);
const IN_A_ROUND = 5_000;

for (const { name, seeds, read, oneIn } of TARGETS) {
  const inputs = Math.max(20, Math.ceil(INPUTS / oneIn));
  test(`${name}: what is read or refused is read or refused in time and space`, { timeout: 3_600_000 }, async () => {
    const whole = await seeds();
    for (const seed of whole) await withinBudget(() => read(seed));
    await leavingNothing(async () => {
      for (let done = 0; done < inputs; done += IN_A_ROUND) {
        const property = fc.asyncProperty(mutants(whole), (bytes) => withinBudget(() => read(bytes)));
        await fc.assert(property, {
          seed: SEED + done,
          numRuns: Math.min(IN_A_ROUND, inputs - done),
          endOnFailure: false,
        });
      }
    });
    if (process.env.MZSR_FUZZ_INPUTS !== undefined) console.log(`${name}: ${inputs} inputs`);
  });
}

test("every parser has whole inputs that it reads", async () => {
  for (const { name, seeds, read } of TARGETS) {
    const results = await Promise.allSettled((await seeds()).map(async (seed) => read(seed)));
    expect([name, results.some(({ status }) => status === "fulfilled")]).toEqual([name, true]);
  }
});
