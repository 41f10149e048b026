import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { constants, getPriority } from "node:os";
import type { Preview, PreviewProblem } from "@mzsr/coordinator";
import { adapt, createImage, Draws, enlargeWith, gaussianKernel, initialParameters, type Model } from "@mzsr/mzsr";
import { descendantsOf } from "@mzsr/testing/process-tree";
import { startBackend } from "@mzsr/worker";
import { expect, onTestFinished, test, vi } from "vitest";
import { ProcessComputer } from "./process-computer.js";

const COMPUTER = new URL("../../dist/low-priority/process-computer.js", import.meta.url);
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

/** Updates that would take hours. */
const LONG = 1e9;
/** A program that computes a preview for ever, and says so when it has begun. */
const PARENT = `
  const { ProcessComputer } = await import(process.argv[1]);
  const image = { height: 24, width: 24, channels: 3, data: new Float32Array(24 * 24 * 3).fill(0.5) };
  const kernel = { size: 1, data: new Float32Array([1]) };
  const architecture = { depth: 2, width: 4 };
  const model = { architecture, scale: 2, parameters: new Float32Array(PARAMETERS), innerRates: undefined, metadata: {} };
  const degradation = { kernel, downsampling: "direct", scale: 2 };
  const computer = new ProcessComputer(new URL(process.argv[3]), "preview");
  computer.hurry();
  computer.compute({ model, lr: image, degradation, updates: Number(process.argv[2]) });
  console.log("begun");
`.replace("PARAMETERS", String(problem(1).model.parameters.length));

/** Processor time of a process, s; 0 when it is gone. */
async function processorSeconds(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
  const [state, ...fields] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return state === undefined || "ZX".includes(state) ? 0 : (Number(fields[10]) + Number(fields[11])) / 100;
}

/** One that gives way to nobody, so that a busy machine holds no test up, unless giving way is the matter. */
function processComputer({ givesWay = false } = {}): ProcessComputer<PreviewProblem, Preview> {
  const computer = new ProcessComputer<PreviewProblem, Preview>(BUILT, "preview");
  if (!givesWay) computer.hurry();
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
    expect(previews[at]!.before.data).toEqual((await enlargeWith(model, lr)).data);
    expect(previews[at]!.adapted.data).toEqual((await enlargeWith({ ...model, parameters }, lr)).data);
    expect(previews[at]!.seconds).toBeGreaterThan(0);
  }
});

test.runIf(process.platform === "linux")(
  "gives way in its session and with its session",
  { timeout: 600_000 },
  async () => {
    await processComputer({ givesWay: true }).compute(problem(1));
    const [child, ...others] = await previewProcesses();
    expect(others).toEqual([]);
    expect(getPriority(child)).toBe(constants.priority.PRIORITY_BELOW_NORMAL);
    const own = await readFile("/proc/self/autogroup", "utf8").catch(() => undefined);
    if (own === undefined) return;
    const [group, priority] = (await readFile(`/proc/${child}/autogroup`, "utf8")).trim().split(" nice ");
    expect(own).not.toContain(group);
    expect(priority).toBe("10");
  },
);

test.runIf(process.platform === "linux")("in a hurry gives way to nobody, with what waits already, too", async () => {
  const computer = processComputer({ givesWay: true });
  const waiting = computer.compute(problem(2));
  const [slow] = await previewProcesses();
  computer.hurry();
  expect((await waiting).adapted).toMatchObject({ height: 48, width: 48 });
  const [fast, ...others] = await previewProcesses();
  expect(others).toEqual([]);
  expect(fast).not.toBe(slow);
  expect(getPriority(fast)).toBe(getPriority());
});

test.runIf(process.platform === "linux")(
  "does not outlive a parent that was killed, though it computes",
  async () => {
    const parent = spawn(
      process.execPath,
      ["--input-type=module", "-e", PARENT, COMPUTER.href, JSON.stringify(LONG), BUILT.href],
      {
        stdio: ["ignore", "pipe", "inherit"],
      },
    );
    onTestFinished(() => void parent.kill("SIGKILL"));
    await once(parent.stdout, "data");
    const [child] = (await descendantsOf(parent.pid!)).filter(({ command }) => command.includes("preview-process"));
    await vi.waitUntil(async () => (await processorSeconds(child!.pid)) > 1.5, 60_000);
    parent.kill("SIGKILL");
    await vi.waitUntil(async () => (await processorSeconds(child!.pid)) === 0, 60_000);
  },
  120_000,
);

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

test("nothing is computed after it is closed, and no process started", async () => {
  const computer = processComputer();
  await computer.close();
  await expect(computer.compute(problem(1))).rejects.toThrow("the run ends");
  expect(await previewProcesses()).toEqual([]);
});
