import type { AdapterDescription } from "@mzsr/engine-webgpu";
import { createImage } from "@mzsr/mzsr";
import { type Configuration, configurationSchema, type Task } from "@mzsr/shared";
import { afterEach, describe, expect, it } from "vitest";
import { AbandonedError, type FinishedTask, type TaskRequest } from "../compute/computer.js";
import { GpuComputer, type GpuComputerOptions } from "./gpu-computer.js";

/**
 * A real thread without a GPU: it computes θ[0] + the task's first value, and does what the parameters say: fails,
 * loses its GPU (ends), or waits until something else comes.
 */
const THREAD = `
  import { parentPort } from "node:worker_threads";
  let held = [];
  const finish = ({ id, tasks }) => {
    const result = ({ theta, data }) => ({ gradient: Float32Array.of(theta[0] + data.support.y[0], tasks.length), supportLosses: [], queryLosses: [] });
    parentPort.postMessage({ type: "done", id, results: tasks.map(result), times: { upload: 1, compute: 2, readBack: 1 } });
  };
  parentPort.on("message", (batch) => {
    const [what] = batch.tasks[0].theta;
    if (what === 1) parentPort.postMessage({ type: "failed", id: batch.id, reason: "NaN everywhere" });
    else if (what === 2) setImmediate(() => { throw new Error("the GPU was lost: unplugged") });
    else if (what === 3) held.push(batch);
    else for (const each of [...held.splice(0), batch]) finish(each);
  });
  const limits = { bufferBytes: 2 ** 31, bindingBytes: 2 ** 31, workgroups: 65535 };
  parentPort.postMessage({ type: "ready", adapter: { name: "a card", vendor: "v", architecture: "", isSoftware: false, limits, canProfile: false } });
`;
const entry = new URL(`data:text/javascript,${encodeURIComponent(THREAD)}`);
const FINE = Float32Array.of(0);
const FAILS = Float32Array.of(1);
const LOSES = Float32Array.of(2);
const WAITS = Float32Array.of(3);

const computers: GpuComputer[] = [];
afterEach(async () => {
  for (const computer of computers.splice(0)) await computer.close();
});

/** A computer, what it tells, and a wait for so many tasks to have ended. */
async function start(options: Partial<GpuComputerOptions> = {}, configuration?: Configuration) {
  const told: (readonly FinishedTask[])[] = [];
  let heard = () => {};
  const computer = await GpuComputer.start({
    dataThreads: 1,
    memoryBytes: async (_: AdapterDescription) => 2 ** 30,
    finished: (finished) => {
      told.push(finished);
      heard();
    },
    now: () => 0,
    entry,
    dataEntry: new URL("../../dist/gpu/data-thread.js", import.meta.url),
    ...options,
  });
  computers.push(computer);
  computer.use(configuration ?? configurationSchema.parse({ model: { depth: 2, width: 4 } }));
  const ended = async (count: number) => {
    while (told.flat().length < count) {
      await new Promise<void>((resolve) => {
        heard = resolve;
      });
    }
    return told;
  };
  return { computer, told, ended };
}

const patch = { image: 0, y: 0, x: 0, transform: 0, kernel: 0 };

function taskOf(index: number, step = 0): Task {
  return {
    ...{ stage: "metaTraining", step, index, parametersStep: step, scale: 2, downsampling: "bicubic" },
    ...{ noiseSigma: 0, noiseSeed: 0, patchSize: 16, supportFrom: "high", kernels: [], stepWeights: [1] },
    ...{ support: [patch], query: [patch] },
  } as Task;
}

/** Crops of which every value is the task's index. */
const cropsOf = ({ index }: Task) => [0, 1].map(() => createImage(16, 16, 3, new Float32Array(768).fill(index)));

function requestOf(task: Task, theta: Float32Array): TaskRequest {
  return { task, theta, settings: {} as TaskRequest["settings"], crops: () => cropsOf(task) };
}

/** Leases so many tasks of a step at once, and has them computed. */
function lease(computer: GpuComputer, count: number, theta = FINE, step = 0): void {
  const tasks = Array.from({ length: count }, (_, index) => taskOf(index, step));
  for (const task of tasks) computer.expect(`${step}/${task.index}`, task);
  for (const task of tasks) computer.compute(`${step}/${task.index}`, requestOf(task, theta));
}

const inShort = (told: readonly (readonly FinishedTask[])[]) =>
  told.map((batch) => batch.map((each) => ("error" in each ? each.error.message : each.outcome.gradient[0])));

describe("a computer with a GPU", () => {
  it("computes the leases of a step together, and tells of them together", async () => {
    const { computer, ended } = await start({ slots: 4 });
    lease(computer, 3);
    const [batch] = await ended(3);
    expect(inShort([batch!])).toEqual([[0, 1, 2]]);
    expect(batch![2]).toMatchObject({ lease: "0/2", outcome: { step: 0, index: 2, computeSeconds: 4 } });
    expect(computer.batches).toMatchObject({ tasks: 3, shares: { upload: 0.25, compute: 0.5, readBack: 0.25 } });
  });

  it("takes no more at once than it was told, or than its memory does for", async () => {
    const { computer, ended } = await start({ slots: 2 });
    lease(computer, 5);
    expect((await ended(5)).map((batch) => batch.length)).toEqual([2, 2, 1]);
    const paper = configurationSchema.parse({});
    const small = await start({}, paper);
    expect(small.computer.slots).toBeLessThan(32);
  });

  it("gives the GPU the next step's tasks while it computes as many, and does not give it fewer", async () => {
    const { computer, ended } = await start();
    lease(computer, 3, WAITS);
    lease(computer, 2, FINE, 1);
    const last = taskOf(2, 1);
    await new Promise<number>((resolve) => computer.prepare(last, cropsOf(last), resolve));
    computer.compute("1/2", requestOf(last, FINE));
    const [held, next] = await ended(6);
    expect(inShort([held!, next!])).toEqual([
      [3, 4, 5],
      [0, 1, 2],
    ]);
    for (const each of next!) expect("outcome" in each && each.outcome.gradient[1]).toBe(3);
  });

  it("uses what was made ahead of a lease", async () => {
    const { computer, ended } = await start();
    const [task] = [taskOf(7)];
    await new Promise<number>((resolve) => computer.prepare(task, cropsOf(task), resolve));
    computer.compute("a", {
      ...requestOf(task, FINE),
      crops: () => {
        throw new Error("made again");
      },
    });
    expect(inShort(await ended(1))).toEqual([[7]]);
  });

  it("goes on with the others where a task's data cannot be made, or its images do not come", async () => {
    const { computer, ended } = await start();
    for (const index of [0, 1, 2]) computer.expect(`${index}`, taskOf(index));
    const leaves = (): never => {
      throw new RangeError("patch leaves the image");
    };
    computer.compute("0", requestOf(taskOf(0), FINE));
    computer.compute("1", { ...requestOf(taskOf(1), FINE), crops: leaves });
    computer.abandon("2");
    const told = inShort(await ended(2));
    expect(told.sort()).toEqual([[0], ["patch leaves the image"]].sort());
  });

  it("gives the reason of a batch that fails, and goes on", async () => {
    const { computer, ended } = await start();
    lease(computer, 2, FAILS);
    await ended(2);
    lease(computer, 1, FINE, 1);
    expect(inShort(await ended(3))).toEqual([["NaN everywhere", "NaN everywhere"], [0]]);
  });

  it("fails what a lost GPU had, opens it again and computes what waited", async () => {
    const crashes: string[] = [];
    const { computer, ended } = await start({ slots: 2, onCrash: (reason) => crashes.push(reason) });
    lease(computer, 2, LOSES);
    lease(computer, 1, FINE, 1);
    const told = inShort(await ended(3));
    expect(told[0]).toEqual(Array(2).fill("the GPU failed: the GPU was lost: unplugged"));
    expect(told[1]).toEqual([0]);
    expect(crashes).toEqual(["the GPU was lost: unplugged"]);
  });

  it("gives up when the GPU is lost again and again", async () => {
    let broken: ((error: Error) => void) | undefined;
    const gone = new Promise<Error>((resolve) => {
      broken = resolve;
    });
    const { computer, ended } = await start({ onBroken: (error) => broken?.(error) });
    for (let i = 0; i < 5; i++) {
      lease(computer, 1, LOSES, i);
      await ended(i + 1);
    }
    expect((await gone).message).toBe("the GPU failed 5 times in a row: the GPU was lost: unplugged");
  });

  it("drops what is given up while it waits, and abandons the rest when it is closed", async () => {
    const { computer, told, ended } = await start({ slots: 1 });
    lease(computer, 1, WAITS);
    computer.compute("waiting", requestOf(taskOf(0, 1), FINE));
    computer.abandon("waiting");
    await ended(1);
    expect([told.flat()[0]!.lease, computer.busySlots]).toEqual(["waiting", 1]);
    await computer.close();
    for (const each of told.flat()) expect((each as { error: Error }).error).toBeInstanceOf(AbandonedError);
    expect(told.flat()).toHaveLength(2);
  });
});
