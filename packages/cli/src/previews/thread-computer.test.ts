import type { PreviewProblem } from "@mzsr/coordinator";
import { adapt, createImage, Draws, enlarge, gaussianKernel, initialParameters, type Model } from "@mzsr/shared";
import { startBackend } from "@mzsr/worker";
import { expect, onTestFinished, test } from "vitest";
import { ThreadComputer } from "./thread-computer.js";

const BUILT = new URL("../../dist/previews/preview-thread.js", import.meta.url);

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

function threadComputer(): ThreadComputer {
  const computer = new ThreadComputer(BUILT);
  onTestFinished(() => computer.close());
  return computer;
}

test("computes on its thread what adaptation and enlargement give here, several at once", async () => {
  const computer = threadComputer();
  const problems = [problem(1), problem(3)];
  const previews = await Promise.all(problems.map((each) => computer.compute(each)));
  await startBackend("simd");
  for (const [at, { model, lr, degradation, updates }] of problems.entries()) {
    const { parameters } = await adapt(model, lr, { degradation, updates });
    expect(previews[at]!.before.data).toEqual((await enlarge(model, lr)).data);
    expect(previews[at]!.adapted.data).toEqual((await enlarge({ ...model, parameters }, lr)).data);
  }
});

test("a problem that cannot be computed is refused with the reason, and the next one is computed", async () => {
  const computer = threadComputer();
  const grey = { ...problem(1), lr: createImage(24, 24, 1) };
  await expect(computer.compute(grey)).rejects.toThrow("an image of 1 channels");
  expect((await computer.compute(problem(1))).adapted).toMatchObject({ height: 48, width: 48 });
});

test("what waits when it is closed is refused", async () => {
  const computer = threadComputer();
  const refused = expect(computer.compute(problem(1))).rejects.toThrow("the run ends");
  await computer.close();
  await refused;
});
