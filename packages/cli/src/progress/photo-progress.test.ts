import { expect, it } from "vitest";
import { MinuteLine } from "./minute-line.js";
import { PhotoProgress } from "./photo-progress.js";
import { ProgressLine } from "./progress-line.js";
import { Terminal } from "./terminal.js";

function told(isTTY: boolean) {
  const texts: string[] = [];
  const terminal = new Terminal({ write: () => undefined }, { isTTY, write: (text) => texts.push(String(text)) });
  return { terminal, take: () => texts.splice(0).join("") };
}

it("draws each phase over the last one on a terminal, with the time that is left of it", () => {
  let now = 100;
  const { terminal, take } = told(true);
  const progress = new PhotoProgress(new ProgressLine(terminal, "cat.jpg", () => now), () => now);
  expect(take()).toBe("cat.jpg …");
  progress.phase("adapting");
  expect(take()).toBe("\r\x1b[2Kcat.jpg: adapting …");
  now += 4;
  progress.step({ step: 2, updates: 10, loss: 0.0123 });
  expect(take()).toBe("\r\x1b[2Kcat.jpg: step 2 of 10, loss 0.01230, 16 s left");
  now += 1;
  progress.phase("enlarging");
  take();
  now += 6;
  progress.rows({ done: 300, of: 400 });
  expect(take()).toBe("\r\x1b[2Kcat.jpg: 75 % enlarged, 2.0 s left");
  progress.rows({ done: 400, of: 400 });
  expect(take()).toBe("\r\x1b[2Kcat.jpg: 100 % enlarged");
  progress.done();
  expect(take()).toBe("\r\x1b[2K");
});

it("tells a line now and then elsewhere", () => {
  let now = 0;
  const { terminal, take } = told(false);
  const progress = new PhotoProgress(new ProgressLine(terminal, "cat.jpg", () => now), () => now);
  expect(take()).toBe("cat.jpg\n");
  progress.phase("enlarging");
  for (let done = 1; done <= 25; done++) {
    now += 6;
    progress.rows({ done, of: 30 });
  }
  progress.done();
  expect(take()).toBe("cat.jpg: 33 % enlarged, 2 min 00 s left\ncat.jpg: 66 % enlarged, 1 min 00 s left\n");
});

it("tells of a photo that takes long in a thread, and nothing of one that does not", () => {
  let now = 0;
  const lines: string[] = [];
  const progress = new PhotoProgress(
    new MinuteLine(
      (text) => lines.push(text),
      () => now,
    ),
    () => now,
  );
  for (let step = 1; step <= 100; step++) {
    now += 1.5;
    progress.step({ step, updates: 3000, loss: 0.0123 });
  }
  expect(lines).toEqual([
    "step 40 of 3000, loss 0.01230, 1 h 14 min left",
    "step 80 of 3000, loss 0.01230, 1 h 13 min left",
  ]);
});
