import { InputError } from "@mzsr/mzsr";
import { describe, expect, it } from "vitest";
import { CoreHarness, placeOf } from "../testing/core-harness.js";
import type { CoordinatorEffect } from "./events.js";
import { Scheduler } from "./scheduler.js";

type Checkpoint = Extract<CoordinatorEffect, { type: "checkpoint" }>;

function checkpoints(cluster: CoreHarness): Checkpoint[] {
  return cluster.effects.filter((effect): effect is Checkpoint => effect.type === "checkpoint");
}

function hashes(cluster: CoreHarness): string[] {
  return cluster.steps.map(({ thetaSha256 }) => thetaSha256);
}

describe("a run", () => {
  it("goes through its stages, checkpoints and ends, and drains everyone", () => {
    const cluster = new CoreHarness({ pretrainingSteps: 3, steps: 3, checkpointEvery: 2 });
    const [a, b] = [cluster.join("a"), cluster.join("b")];
    cluster.finish(a, b);
    expect(cluster.steps.map(({ step, stage, stageStep }) => [step, stage, stageStep])).toEqual([
      [1, "pretraining", 1],
      [2, "pretraining", 2],
      [3, "pretraining", 3],
      [4, "metaTraining", 1],
      [5, "metaTraining", 2],
      [6, "metaTraining", 3],
    ]);
    expect(checkpoints(cluster).map(({ step, reason }) => [step, reason])).toEqual([
      [2, "interval"],
      [3, "stage"],
      [4, "interval"],
      [6, "finished"],
    ]);
    for (const { received } of [a, b]) expect(received.at(-1)).toMatchObject({ type: "drain", finished: true });
    expect(cluster.effects.at(-1)).toEqual({ type: "ended", complete: true });
    expect(cluster.core.status(cluster.nowMs)).toMatchObject({
      phase: "finished",
      step: 6,
      totalSteps: 6,
      stageStep: 3,
    });
  });

  it("sends away who comes after its end as one who is done", () => {
    const cluster = new CoreHarness({ steps: 1 });
    cluster.finish(cluster.join("a"));
    expect(cluster.join("late").received).toMatchObject([{ type: "drain", finished: true }]);
  });

  it("that is finished already ends at once", () => {
    const cluster = new CoreHarness({ steps: 1 });
    cluster.finish(cluster.join("a"));
    const again = new CoreHarness({ steps: 1, state: cluster.core.snapshot() });
    expect(again.send({ type: "tick" })).toMatchObject([{ type: "event" }, { type: "ended", complete: true }]);
  });

  it("has the same parameters whoever computes what, in whatever order results come", () => {
    const quiet = new CoreHarness({ tasks: 4, steps: 3 });
    quiet.finish(quiet.join("alone"));
    const busy = new CoreHarness({ tasks: 4, steps: 3 });
    const [a, b] = [busy.join("a", { slots: 4 }), busy.join("b", { slots: 4 })];
    while (a.leases.length + b.leases.length > 0) {
      const worker = b.leases.length > 0 ? b : a;
      busy.answer(worker, {}, worker.leases.at(-1));
    }
    expect(hashes(busy)).toEqual(hashes(quiet));
  });

  it("goes on from a checkpoint with the same bits, and repeats only what came after it", () => {
    const whole = new CoreHarness({ steps: 5, checkpointEvery: 2 });
    whole.finish(whole.join("a"));
    const [first] = checkpoints(whole);
    const resumed = new CoreHarness({ steps: 5, state: first!.state, incarnation: "second" });
    const worker = resumed.join("a");
    expect(worker.leases.map(placeOf)).toEqual(["2/0"]);
    resumed.finish(worker);
    expect(hashes(resumed)).toEqual(hashes(whole).slice(2));
  });

  it("refuses a state of another model", () => {
    const other = new CoreHarness().core.snapshot();
    const state = { ...other, theta: new Float32Array(7) };
    expect(() => new CoreHarness({ state })).toThrow(InputError);
    expect(() => new CoreHarness({ state })).toThrow("the training state has 7 parameters; expected 3");
  });

  it("asks to be woken each second while workers are there, and not at all when nobody is", () => {
    const cluster = new CoreHarness();
    expect(cluster.core.nextWakeMs(cluster.nowMs)).toBeUndefined();
    cluster.join("a");
    expect(cluster.core.nextWakeMs(cluster.nowMs)).toBe(cluster.nowMs + 1000);
  });
});

describe("a pipelined run", () => {
  const options = { tasks: 2, steps: 4, pretrainingSteps: 2, cluster: { pipeline: 1 } };

  it("gives out tasks of the next step before this one is reduced", () => {
    const cluster = new CoreHarness(options);
    const worker = cluster.join("a", { slots: 8 });
    expect(worker.leases.map(placeOf)).toEqual(["0/0", "0/1", "1/0", "1/1"]);
    expect(worker.leases.map(({ task }) => task.parametersStep)).toEqual([0, 0, 0, 0]);
  });

  it("does not begin a stage before the last one is done", () => {
    const cluster = new CoreHarness(options);
    const worker = cluster.join("a", { slots: 8 });
    for (const index of [0, 1])
      cluster.answer(
        worker,
        {},
        worker.leases.find(({ task }) => task.index === index),
      );
    expect(cluster.steps).toHaveLength(1);
    expect(worker.leases.map(placeOf)).toEqual(["1/0", "1/1"]);
  });

  it("reduces strictly in order, and two steps at once when the later one was ready first", () => {
    const cluster = new CoreHarness(options);
    const worker = cluster.join("a", { slots: 8 });
    const [first, second, ...later] = [...worker.leases];
    for (const lease of later) cluster.answer(worker, {}, lease);
    cluster.answer(worker, {}, first);
    expect(cluster.steps).toHaveLength(0);
    cluster.answer(worker, {}, second);
    expect(cluster.steps.map(({ step }) => step)).toEqual([1, 2]);
    const [stage] = checkpoints(cluster);
    expect(stage).toMatchObject({ step: 2, reason: "stage", state: { step: 2 } });
  });

  it("counts time in which two steps were computed once", () => {
    const cluster = new CoreHarness({ ...options, tasks: 1, pretrainingSteps: 0 });
    const worker = cluster.join("a", { slots: 2 });
    cluster.pass(2, [worker]);
    cluster.answer(worker);
    cluster.pass(1, [worker]);
    cluster.answer(worker);
    expect(cluster.steps.map(({ seconds }) => seconds)).toEqual([2, 1]);
  });

  it("goes on from a checkpoint with the same bits", () => {
    const whole = new CoreHarness({ ...options, checkpointEvery: 1 });
    whole.finish(whole.join("a", { slots: 3 }));
    for (const { state, step } of checkpoints(whole).slice(0, -1)) {
      const resumed = new CoreHarness({ ...options, state });
      resumed.finish(resumed.join("b"));
      expect(hashes(resumed)).toEqual(hashes(whole).slice(step));
    }
  });

  it("refuses a checkpoint that lacks the parameters its tasks start from", () => {
    const whole = new CoreHarness({ ...options, checkpointEvery: 1 });
    whole.finish(whole.join("a"));
    const { state } = checkpoints(whole).find(({ step }) => step === 4)!;
    expect(() => new CoreHarness({ ...options, state: { ...state, history: [] } })).toThrow(
      "holds the parameters of 0 earlier steps; expected 1, for cluster.pipeline 1",
    );
  });
});

describe("a stop", () => {
  it("finishes the step that has begun, checkpoints and ends; nobody is told not to come back", () => {
    const cluster = new CoreHarness({ tasks: 2, steps: 5 });
    const worker = cluster.join("a");
    cluster.send({ type: "stop", reason: "SIGTERM" });
    expect(cluster.core.status(cluster.nowMs).phase).toBe("stopping");
    expect(cluster.join("late").received).toMatchObject([{ type: "refuse", retry: true }]);
    cluster.finish(worker);
    expect(cluster.steps).toHaveLength(1);
    expect(checkpoints(cluster)).toMatchObject([{ step: 1, reason: "stop" }]);
    expect(worker.received.at(-1)).toMatchObject({ type: "drain", finished: false });
    expect(cluster.effects.at(-1)).toEqual({ type: "ended", complete: false });
    expect(cluster.core.status(cluster.nowMs).phase).toBe("stopping");
  });

  it("ends at once when nobody is left to finish the step", () => {
    const cluster = new CoreHarness({ tasks: 2, steps: 5 });
    const worker = cluster.join("a");
    cluster.finish(worker);
    const more = new CoreHarness({ tasks: 2, steps: 5 });
    const only = more.join("a");
    more.send({ type: "stop", reason: "SIGTERM" });
    more.drop(only);
    expect(more.effects.at(-1)).toEqual({ type: "ended", complete: false });
    expect(more.core.over).toBe(true);
  });

  it("before any step has begun ends at once, and is told once", () => {
    const cluster = new CoreHarness({ tasks: 2, steps: 5 });
    cluster.send({ type: "stop", reason: "SIGTERM" });
    expect(cluster.effects).toEqual([
      { type: "event", event: { kind: "stop", step: 0, reason: "SIGTERM" } },
      { type: "ended", complete: false },
    ]);
  });

  it("asked for twice does not wait for the step", () => {
    const cluster = new CoreHarness({ tasks: 2, steps: 5 });
    cluster.join("a");
    cluster.send({ type: "stop", reason: "SIGINT" });
    cluster.send({ type: "stop", reason: "SIGINT" });
    expect(cluster.effects.at(-1)).toEqual({ type: "ended", complete: false });
    expect(cluster.ends).toEqual(["a lost"]);
  });

  it("finishes all begun steps of a pipelined run, and no other", () => {
    const cluster = new CoreHarness({ tasks: 2, steps: 5, cluster: { pipeline: 2 } });
    const worker = cluster.join("a", { slots: 3 });
    cluster.send({ type: "stop", reason: "SIGTERM" });
    cluster.finish(worker);
    expect(cluster.steps.map(({ step }) => step)).toEqual([1, 2]);
  });
});

describe("a task that cannot be computed", () => {
  /** Each of the names joins and fails at its first task once. */
  function failOnce(cluster: CoreHarness, names: readonly string[], reason = "patch does not fit the image"): void {
    for (const name of names) {
      const worker = cluster.join(name);
      cluster.fail(worker, reason);
      cluster.drop(worker);
    }
  }

  it("ends the run with the reason when three workers whose other results count have failed at it", () => {
    const cluster = new CoreHarness({ tasks: 7 });
    const workers = ["a", "b", "c"].map((name) => cluster.join(name, { slots: 2 }));
    for (const worker of workers) {
      const other = worker.leases.find(({ task }) => task.index > 0);
      if (other) cluster.answer(worker, {}, other);
    }
    expect(cluster.core.over).toBe(false);
    for (let i = 0; i < 3; i++) {
      const holder = workers.find(({ leases }) => leases.some(({ task }) => task.index === 0))!;
      while (holder.leases[0]!.task.index !== 0) cluster.answer(holder);
      cluster.fail(holder, "patch does not fit the image");
    }
    expect(cluster.effects.find(({ type }) => type === "ended")).toMatchObject({
      complete: false,
      failure: expect.stringContaining("task 0 of step 1 failed 3 times on 3 workers"),
    });
  });

  it("ends the run when nobody's results are accepted for six patiences", () => {
    const cluster = new CoreHarness({ tasks: 1 });
    failOnce(cluster, ["a", "b", "c"]);
    cluster.pass(29);
    const early = cluster.join("d");
    cluster.fail(early, "patch does not fit the image");
    cluster.drop(early);
    expect(cluster.core.over).toBe(false);
    cluster.pass(1);
    failOnce(cluster, ["a"]);
    expect(cluster.effects.find(({ type }) => type === "ended")).toEqual({
      type: "ended",
      complete: false,
      failure: "task 0 of step 1 failed 5 times on 4 workers, at last on a: patch does not fit the image",
    });
  });

  it("is not hopeless for any number of names that fail while an honest worker computes its first task", () => {
    const cluster = new CoreHarness({ tasks: 2, steps: 2 });
    const honest = cluster.join("honest");
    for (let i = 0; i < 30; i++) failOnce(cluster, [`liar-${i}`], "no such device");
    cluster.pass(40, [honest]);
    failOnce(cluster, ["one-more"], "no such device");
    expect(cluster.core.over).toBe(false);
    cluster.finish(honest);
    expect(cluster.effects.at(-1)).toEqual({ type: "ended", complete: true });
  });

  it("is hopeless after ten times as long with a worker that never answers", () => {
    const cluster = new CoreHarness({ tasks: 2, steps: 2 });
    const silent = cluster.join("silent");
    failOnce(cluster, ["a", "b", "c"], "no such device");
    cluster.pass(300, [silent]);
    failOnce(cluster, ["a"], "no such device");
    expect(cluster.core.over).toBe(true);
  });

  it("is not hopeless for the time in which the coordinator itself was stopped", () => {
    const cluster = new CoreHarness({ tasks: 1 });
    failOnce(cluster, ["a", "b", "c"]);
    const worker = cluster.join("a");
    cluster.nowMs += 40_000;
    cluster.fail(worker, "patch does not fit the image");
    expect(cluster.core.over).toBe(false);
  });

  it("is not given up for one bad worker among good ones", () => {
    const cluster = new CoreHarness({ tasks: 1, steps: 1 });
    const bad = cluster.join("bad");
    cluster.fail(bad, "out of memory");
    cluster.fail(bad, "out of memory");
    const good = cluster.join("good");
    cluster.fail(bad, "out of memory");
    cluster.finish(good);
    expect(cluster.effects.at(-1)).toEqual({ type: "ended", complete: true });
  });
});

describe("the status", () => {
  it("says how fast the run goes and how long it still takes", () => {
    const cluster = new CoreHarness({ tasks: 1, steps: 10 });
    const worker = cluster.join("a");
    for (let i = 0; i < 4; i++) {
      cluster.pass(2, [worker]);
      cluster.answer(worker);
    }
    expect(cluster.core.status(cluster.nowMs)).toMatchObject({
      phase: "training",
      step: 4,
      secondsPerStep: 2,
      tasksPerSecond: 0.5,
      secondsLeft: 12,
      losses: { supportBefore: 0.5, queryBefore: 0.4, queryAfter: 0.3 },
      workers: [
        { worker: "a", state: "active", busySlots: 1, tasksDone: 4, secondsPerTask: 2, lastHeartbeatAgoSeconds: 0 },
      ],
      counters: { tasksAccepted: 4, tasksLate: 0 },
    });
  });

  it("waits while nobody is there", () => {
    const cluster = new CoreHarness();
    expect(cluster.core.status(cluster.nowMs)).toMatchObject({ phase: "waiting", backend: null, secondsPerStep: null });
    cluster.drop(cluster.join("a"));
    expect(cluster.core.status(cluster.nowMs)).toMatchObject({ phase: "waiting", workers: [{ state: "lost" }] });
  });
});

describe("a heartbeat before the moment for which the core asked to be woken", () => {
  function withDispatches() {
    let dispatches = 0;
    class Watched extends Scheduler {
      override dispatch(nowMs: number) {
        dispatches++;
        return super.dispatch(nowMs);
      }
    }
    const cluster = new CoreHarness({ scheduler: (parts) => new Watched(parts) });
    const worker = cluster.join("a");
    const beat = () => {
      const { name, incarnation } = worker;
      cluster.send({ type: "heartbeat", worker: name, incarnation, via: "nats", busySlots: 1 });
      return dispatches;
    };
    return { cluster, worker, beat };
  }

  it("is heard, and nothing is decided anew", () => {
    const { cluster, worker, beat } = withDispatches();
    const wakeMs = cluster.core.nextWakeMs(cluster.nowMs)!;
    const before = beat();
    cluster.nowMs = wakeMs - 1;
    expect(beat()).toBe(before);
    expect(cluster.core.nextWakeMs(cluster.nowMs)).toBe(wakeMs);
    expect(cluster.worker(worker.name)?.lastHeartbeatAgoSeconds).toBe(0);
  });

  it("decides where that moment has come, or something has happened since", () => {
    const { cluster, worker, beat } = withDispatches();
    cluster.nowMs = cluster.core.nextWakeMs(cluster.nowMs)!;
    const before = beat();
    expect(beat()).toBe(before + 1);
    cluster.core.nextWakeMs(cluster.nowMs);
    cluster.answer(worker);
    const answered = beat();
    expect(beat()).toBe(answered + 1);
  });
});
