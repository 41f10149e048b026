import { expect, test } from "vitest";
import { ConcurrencyBudget } from "./concurrency-budget.js";

/** Work that ends when told. */
function controlled(budget: ConcurrencyBudget, size: number) {
  const state: { started: boolean; end: (error?: Error) => void } = { started: false, end: () => undefined };
  const done = budget.run(size, () => {
    state.started = true;
    return new Promise<void>((resolve, reject) => {
      state.end = (error) => (error === undefined ? resolve() : reject(error));
    });
  });
  return { state, done };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

test("only what fits works at the same time, in the order of coming", async () => {
  const budget = new ConcurrencyBudget(10);
  const [a, b, c] = [controlled(budget, 6), controlled(budget, 5), controlled(budget, 1)];
  await turn();
  expect([a.state.started, b.state.started, c.state.started]).toEqual([true, false, false]);
  a.state.end();
  await a.done;
  await turn();
  expect([b.state.started, c.state.started]).toEqual([true, true]);
  b.state.end();
  c.state.end();
  await Promise.all([b.done, c.done]);
});

test("what is larger than the budget works alone, and what failed gives its room back", async () => {
  const budget = new ConcurrencyBudget(10);
  const large = controlled(budget, 99);
  const small = controlled(budget, 1);
  await turn();
  expect([large.state.started, small.state.started]).toEqual([true, false]);
  large.state.end(new Error("failed"));
  await expect(large.done).rejects.toThrow("failed");
  await turn();
  expect(small.state.started).toBe(true);
  small.state.end();
  await small.done;
});
