import { expect, it } from "vitest";
import { StepProgress } from "./step-progress.js";
import { Terminal } from "./terminal.js";

function progressOn(isTTY: boolean) {
  const told: string[] = [];
  let seconds = 0;
  const terminal = new Terminal({ write: () => undefined }, { isTTY, write: (text) => told.push(String(text)) });
  const progress = new StepProgress(terminal, "cat.png", () => 1000 * seconds);
  const show = (at: number, step: number) => {
    seconds = at;
    progress.show({ step, updates: 3000, loss: 0.0123 });
  };
  return { told, show };
}

it("says on a terminal which step is done, and after a few seconds how long the rest takes at most", () => {
  const { told, show } = progressOn(true);
  show(1, 6);
  expect(told.at(-1)).toMatch(/cat\.png: step 6 of 3000, loss 0\.01230$/);
  show(30, 300);
  expect(told.at(-1)).toMatch(/step 300 of 3000, loss 0\.01230, at most 4 min 30 s left$/);
  show(300, 3000);
  expect(told.at(-1)).toMatch(/step 3000 of 3000, loss 0\.01230$/);
});

it("writes a line a minute where lines are not drawn over", () => {
  const { told, show } = progressOn(false);
  for (let at = 1; at <= 150; at++) show(at, 10 * at);
  expect(told).toEqual([
    "cat.png\n",
    "cat.png: step 600 of 3000, loss 0.01230, at most 4 min 00 s left\n",
    "cat.png: step 1200 of 3000, loss 0.01230, at most 3 min 00 s left\n",
  ]);
});
