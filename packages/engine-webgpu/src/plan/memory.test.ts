import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { planMemory, planMinibatches } from "./memory.js";
import { minibatchCommands } from "./meta-commands.js";
import { metaPlan, type TaskShape } from "./meta-plan.js";

const patches = (count: number, side: number) => ({ patches: count, height: side, width: side });
const PAPER: TaskShape = {
  architecture: { depth: 8, width: 64 },
  support: patches(8, 64),
  query: patches(8, 64),
  innerSteps: 5,
  order: 2,
  learnedRates: false,
};
const ROOMY = { bufferBytes: 2 ** 40, bindingBytes: 2 ** 40 };

describe("memory", () => {
  it("is what the paper's task is known to need", () => {
    const least = planMemory(PAPER, { tasks: 1, memoryBytes: 330e6, limits: ROOMY });
    expect(least).toMatchObject({ tasks: 1, keptSteps: 1, queriesAtOnce: 1 });
    expect(least.bytes).toBeGreaterThan(2 * 118e6);
    const most = planMemory(PAPER, { tasks: 1, memoryBytes: 16e9, limits: ROOMY });
    expect(most).toMatchObject({ tasks: 1, keptSteps: 5, queriesAtOnce: 6 });
    expect(most.line).toMatch(
      /^up to 1 task a batch at \d\.\d GB each, 5 of 5 inner steps keep their activations, 6 of 6 query passes at once: \d\.\d GB of 16 GB$/,
    );
  });

  it("holds what it promises: within the budget and the limits, and no task more would fit", () => {
    const options = fc.record({
      memoryBytes: fc.integer({ min: 500e6, max: 40e9 }),
      tasks: fc.integer({ min: 1, max: 40 }),
      bindingBytes: fc.integer({ min: 60e6, max: 4e9 }),
    });
    fc.assert(
      fc.property(options, ({ memoryBytes, tasks, bindingBytes }) => {
        const plan = planMemory(PAPER, { memoryBytes, tasks, limits: { bufferBytes: 2 ** 40, bindingBytes } });
        expect(plan.bytes).toBeLessThanOrEqual(memoryBytes);
        expect(Math.max(...plan.regions.values())).toBeLessThanOrEqual(bindingBytes);
        expect(plan.tasks).toBeLessThanOrEqual(tasks);
        expect(plan.keptSteps).toBeGreaterThanOrEqual(1);
        expect(plan.queriesAtOnce).toBeGreaterThanOrEqual(1);
      }),
      { numRuns: 20 },
    );
  });

  it("prefers more tasks to keeping activations", () => {
    const two = planMemory(PAPER, { memoryBytes: 650e6, limits: ROOMY });
    expect(two).toMatchObject({ tasks: 2, keptSteps: 1 });
  });

  it("says what to lower where not even one task fits", () => {
    expect(() => planMemory(PAPER, { memoryBytes: 100e6, limits: ROOMY })).toThrow(
      /^a task needs \d+ MB of GPU memory where 100 MB may be taken; expected more memory, or fewer or smaller patches \(8 of 64 × 64 and 8 of 64 × 64 pixels\), or a smaller network \(depth 8, width 64\)$/,
    );
    expect(() => planMemory(PAPER, { limits: { ...ROOMY, bindingBytes: 1e6 } })).toThrow(
      /this GPU allows 1 MB; expected/,
    );
  });

  it("refuses shapes that are none", () => {
    expect(() => planMemory({ ...PAPER, innerSteps: 0 }, { limits: ROOMY })).toThrow("innerSteps is 0; expected");
    expect(() => planMemory({ ...PAPER, query: patches(0, 8) }, { limits: ROOMY })).toThrow("patches is 0; expected");
    const shallow = { ...PAPER, architecture: { depth: 1, width: 8 } };
    expect(() => planMemory(shallow, { limits: ROOMY })).toThrow(
      "a network of depth 1; expected a whole number from 2",
    );
  });

  it("of minibatches is that of the buffers they use", () => {
    const plan = metaPlan({ ...PAPER, innerSteps: 1, order: 1, support: patches(32, 96) });
    const { regions, tasks } = planMinibatches(plan, minibatchCommands(plan, 1), { memoryBytes: 3e9, limits: ROOMY });
    expect([...regions.keys()].filter((region) => region.startsWith("query"))).toEqual([]);
    expect(tasks).toBe(2);
  });
});
