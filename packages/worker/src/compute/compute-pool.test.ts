import { createImage } from "@mzsr/mzsr";
import type { Task, TaskOutcome } from "@mzsr/shared";
import { afterEach, describe, expect, it } from "vitest";
import { ComputePool, type ComputePoolOptions } from "./compute-pool.js";
import { AbandonedError, type FinishedTask, type TaskRequest } from "./computer.js";

/** A real thread whose tasks do what `task.index` says: answer, fail, exit, throw, or wait for ever. */
const THREAD = `
  import { parentPort, workerData } from "node:worker_threads";
  if (workerData.backend === "webgpu") {
    parentPort.postMessage({ type: "broken", reason: "no such device", badInput: true });
  } else if (workerData.backend === "cuda") {
    process.exit(7);
  } else {
    const prepared = [];
    parentPort.on("message", ({ type, id, task, request }) => {
      if (type === "prepare") return prepared.push(id), parentPort.postMessage({ type: "prepared", id, seconds: 3 });
      const { index } = request.task;
      if (index === 1) parentPort.postMessage({ type: "failed", id, reason: "NaN everywhere", tensorBytes: 0 });
      else if (index === 2) process.exit(3);
      else if (index === 3) setImmediate(() => { throw new Error("out of memory") });
      else if (index !== 4) {
        const gradient = Float32Array.from(request.theta, (value) => value * 2);
        const outcome = { gradient, crops: request.source.crops?.map((crop) => crop.data[0]), ready: prepared.includes(request.source.prepared) };
        parentPort.postMessage({ type: "done", id, outcome, tensorBytes: 64 }, [gradient.buffer]);
      }
    });
    parentPort.postMessage({ type: "ready", backend: { name: "cpu", description: "test", reasons: [] } });
  }
`;
const entry = new URL(`data:text/javascript,${encodeURIComponent(THREAD)}`);
const FINE = 0;
const FAILS = 1;
const EXITS = 2;
const THROWS = 3;
const HANGS = 4;

const pools: ComputePool[] = [];
afterEach(async () => {
  for (const pool of pools.splice(0)) await pool.close();
});

const waiting = new Map<string, (finished: FinishedTask) => void>();
const finished = (all: readonly FinishedTask[]) => {
  for (const each of all) waiting.get(each.lease)!(each);
};

async function start(options: Partial<ComputePoolOptions> = {}): Promise<ComputePool> {
  const pool = await ComputePool.start({ backend: "auto", slots: () => 1, finished, now: () => 0, entry, ...options });
  pools.push(pool);
  return pool;
}

/** Has a task computed, and waits for its end. */
async function compute(pool: ComputePool, lease: string, request: TaskRequest): Promise<TaskOutcome> {
  const end = await new Promise<FinishedTask>((resolve) => {
    waiting.set(lease, resolve);
    pool.compute(lease, request);
  });
  if ("error" in end) throw end.error;
  return end.outcome;
}

const theta = Float32Array.of(1, 2);
/** What the thread answers to `theta`. */
const TWICE_THETA = { gradient: Float32Array.of(2, 4) };

function request(index: number): TaskRequest {
  const crops = () => [createImage(1, 1, 1, Float32Array.of(7))];
  return { task: { step: 0, index }, theta, settings: {}, crops } as unknown as TaskRequest;
}

describe("a compute pool", () => {
  it("computes in its threads, which get the crops and a copy of the parameters", async () => {
    const pool = await start({ slots: () => 2 });
    expect([pool.slots, pool.backend.name]).toEqual([2, "cpu"]);
    const outcomes = await Promise.all([1, 2, 3].map((lease) => compute(pool, `l${lease}`, request(FINE))));
    for (const outcome of outcomes) expect(outcome).toMatchObject({ ...TWICE_THETA, crops: [7] });
    expect(theta).toEqual(Float32Array.of(1, 2));
    expect(pool.tensorBytes).toBeGreaterThan(0);
  });

  it("has data made ahead, and gives the task to the thread that made them", async () => {
    const pool = await start({ slots: () => 2 });
    const took: number[] = [];
    const crops = () => [createImage(1, 1, 1, Float32Array.of(7))];
    for (const index of [5, 6]) pool.prepare({ step: 0, index } as Task, crops(), (seconds) => took.push(seconds));
    const outcomes = await Promise.all([6, 5, 7].map((index) => compute(pool, `l${index}`, request(index))));
    expect(outcomes.map((outcome) => (outcome as { ready?: boolean }).ready)).toEqual([true, true, false]);
    expect(outcomes[2]).toMatchObject({ crops: [7] });
    expect(took).toEqual([3, 3]);
  });

  it("makes a task's data again when a later announcement pushed them out, or its thread died", async () => {
    const pool = await start();
    for (const index of [5, 6, 7]) pool.prepare({ step: 0, index } as Task, []);
    expect(await compute(pool, "a", request(5))).toMatchObject({ ready: false, crops: [7] });
    await expect(compute(pool, "b", request(EXITS))).rejects.toThrow();
    expect(await compute(pool, "c", request(7))).toMatchObject({ ready: false, crops: [7] });
  });

  it("spreads what is made ahead, also when its threads are full of what went elsewhere", async () => {
    const pool = await start({ slots: () => 2 });
    for (const index of [10, 11, 12, 13, 5, 6]) pool.prepare({ step: 0, index } as Task, []);
    const outcomes = await Promise.all([5, 6].map((index) => compute(pool, `l${index}`, request(index))));
    expect(outcomes).toMatchObject([{ ready: true }, { ready: true }]);
  });

  it("makes a task's data again when it was told to forget them", async () => {
    const pool = await start();
    pool.prepare({ step: 0, index: 5 } as Task, []);
    pool.use();
    expect(await compute(pool, "a", request(5))).toMatchObject({ ready: false, crops: [7] });
  });

  it("fails only the task whose crops cannot be cut, also one that waited for a thread", async () => {
    const pool = await start();
    const leaves = (): never => {
      throw new RangeError("patch leaves the image");
    };
    const first = compute(pool, "a", request(FINE));
    const broken = expect(compute(pool, "b", { ...request(FINE), crops: leaves })).rejects.toThrow("leaves the image");
    await Promise.all([first, broken]);
    await expect(compute(pool, "c", { ...request(FINE), crops: leaves })).rejects.toThrow("leaves the image");
    expect(pool.busySlots).toBe(0);
    await expect(compute(pool, "d", request(FINE))).resolves.toMatchObject(TWICE_THETA);
  });

  it("gives the reason of a task that fails, and goes on", async () => {
    const pool = await start();
    await expect(compute(pool, "a", request(FAILS))).rejects.toThrow("NaN everywhere");
    await expect(compute(pool, "b", request(FINE))).resolves.toMatchObject(TWICE_THETA);
  });

  it.each([
    ["exits", EXITS, /thread died: exit code 3/],
    ["throws", THROWS, /thread died: out of memory/],
  ])("starts a thread that %s again; only its own task fails", async (_, index, reason) => {
    const crashes: string[] = [];
    const pool = await start({ slots: () => 2, onCrash: (why) => crashes.push(why) });
    const fails = expect(compute(pool, "a", request(index))).rejects.toThrow(reason);
    const others = [0, 1, 2, 3].map((lease) => compute(pool, `o${lease}`, request(FINE)));
    await Promise.all([fails, ...others]);
    expect(crashes).toHaveLength(1);
    await expect(compute(pool, "b", request(FINE))).resolves.toMatchObject(TWICE_THETA);
    expect(pool.slots).toBe(2);
  });

  it("gives up when threads die again and again", async () => {
    let broken: ((error: Error) => void) | undefined;
    const gone = new Promise<Error>((resolve) => {
      broken = resolve;
    });
    const pool = await start({ onBroken: (error) => broken?.(error) });
    for (let i = 0; i < 5; i++) await expect(compute(pool, `l${i}`, request(EXITS))).rejects.toThrow(/died/);
    expect((await gone).message).toMatch(/5 times in a row: exit code 3/);
  });

  it("drops a task that is given up while it waits", async () => {
    const pool = await start();
    const running = compute(pool, "running", request(HANGS));
    const queued = compute(pool, "waiting", request(FINE));
    pool.abandon("waiting");
    await expect(queued).rejects.toBeInstanceOf(AbandonedError);
    expect(pool.busySlots).toBe(1);
    await Promise.all([expect(running).rejects.toBeInstanceOf(AbandonedError), pool.close()]);
  });

  it("counts the time of running and finished tasks", async () => {
    let now = 10;
    const pool = await start({ now: () => now });
    const finished = compute(pool, "a", request(FINE));
    now = 13;
    await finished;
    void compute(pool, "b", request(HANGS)).catch(() => undefined);
    now = 14;
    expect(pool.busySeconds()).toBe(4);
  });

  it("does not start on a backend that does not", async () => {
    await expect(start({ backend: "webgpu" })).rejects.toThrow(/^no such device$/);
    await expect(start({ backend: "cuda" })).rejects.toThrow(/ended at its start with code 7/);
  });
});
