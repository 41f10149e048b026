import { readFile } from "node:fs/promises";
import { constants, getPriority } from "node:os";
import type { PreviewProblem } from "@mzsr/coordinator";
import { adapt, createImage, Draws, enlarge, gaussianKernel, initialParameters, type Model } from "@mzsr/shared";
import { startBackend } from "@mzsr/worker";
import { expect, onTestFinished, test } from "vitest";
import { descendantsOf } from "../../../../test/support/process-tree.js";
import { ProcessComputer } from "./process-computer.js";

const BUILT = new URL("../../dist/previews/preview-process.js", import.meta.url);

function problem(updates: number): PreviewProblem {
  const architecture = { depth: 2, width: 4 };
  const model: Model = {
    architecture,
    scale: 2,
    parameters: initialParameters(architecture, new Draws(1, [0, 0, 0])),
    innerRates: undefined,
    metadata: {},
  };
  const lr = createImage(24, 24, 3);
  lr.data.forEach((_, at) => {
    lr.data[at] = 0.5 + 0.4 * Math.sin(at / 5);
  });
  return {
    model,
    lr,
    degradation: { kernel: gaussianKernel({ lambda1: 2, lambda2: 1, theta: 0 }), downsampling: "direct", scale: 2 },
    updates,
  };
}

function processComputer(): ProcessComputer {
  const computer = new ProcessComputer(BUILT);
  onTestFinished(() => computer.close());
  return computer;
}

async function previewProcesses(): Promise<number[]> {
  const started = await descendantsOf(process.pid);
  return started.filter(({ command }) => command.includes("preview-process")).map(({ pid }) => pid);
}

test("computes in its process what adaptation and enlargement give here, several at once", async () => {
  const computer = processComputer();
  const problems = [problem(1), problem(3)];
  const previews = await Promise.all(problems.map((each) => computer.compute(each)));
  await startBackend("simd");
  for (const [at, { model, lr, degradation, updates }] of problems.entries()) {
    const { parameters } = await adapt(model, lr, { degradation, updates });
    expect(previews[at]!.before.data).toEqual((await enlarge(model, lr)).data);
    expect(previews[at]!.adapted.data).toEqual((await enlarge({ ...model, parameters }, lr)).data);
    expect(previews[at]!.seconds).toBeGreaterThan(0);
  }
});

test.runIf(process.platform === "linux")("gives way in its session and with its session", async () => {
  await processComputer().compute(problem(1));
  const [child, ...others] = await previewProcesses();
  expect(others).toEqual([]);
  expect(getPriority(child)).toBe(constants.priority.PRIORITY_LOW);
  const own = await readFile("/proc/self/autogroup", "utf8").catch(() => undefined);
  if (own === undefined) return;
  const [group, priority] = (await readFile(`/proc/${child}/autogroup`, "utf8")).trim().split(" nice ");
  expect(own).not.toContain(group);
  expect(priority).toBe("19");
});

test("its end is told to who waits, and the next problem is computed in a new process", async () => {
  const computer = processComputer();
  await computer.compute(problem(1));
  const refused = expect(computer.compute(problem(100_000))).rejects.toThrow("the preview process ended with SIGKILL");
  for (const child of await previewProcesses()) process.kill(child, "SIGKILL");
  await refused;
  expect((await computer.compute(problem(1))).adapted).toMatchObject({ height: 48, width: 48 });
});

test("a problem that cannot be computed is refused with the reason, and the next one is computed", async () => {
  const computer = processComputer();
  const grey = { ...problem(1), lr: createImage(24, 24, 1) };
  await expect(computer.compute(grey)).rejects.toThrow("an image of 1 channels");
  expect((await computer.compute(problem(1))).adapted).toMatchObject({ height: 48, width: 48 });
});

test("what waits when it is closed is refused", async () => {
  const computer = processComputer();
  const refused = expect(computer.compute(problem(1))).rejects.toThrow("the run ends");
  await computer.close();
  await refused;
});
