import { describe, expect, it } from "vitest";
import { CoreHarness, type JoinedWorker, placeOf } from "../testing/core-harness.js";

describe("a worker that joins", () => {
  it("is given tasks of the running step at once", () => {
    const cluster = new CoreHarness({ tasks: 3 });
    cluster.join("a");
    const late = cluster.join("b");
    expect(late.leases.map(({ task }) => task.index)).toEqual([2]);
    expect(late.received.map(({ type }) => type)).toEqual(["welcome", "parameters", "assign", "announce"]);
  });

  it("settles the backend of a run that left it open; others are refused for good", () => {
    const cluster = new CoreHarness({ backend: "auto" });
    cluster.join("a", { backend: "webgpu" });
    const other = cluster.join("b", { backend: "simd" });
    expect(other.received).toMatchObject([{ type: "refuse", retry: false }]);
    expect(cluster.core.snapshot().backend).toBe("webgpu");
    expect(cluster.core.status(cluster.nowMs).backend).toBe("webgpu");
  });

  it("under a name that is there already replaces the older session, whose leases are free", () => {
    const cluster = new CoreHarness({ tasks: 1 });
    const before = cluster.join("a");
    const after = cluster.join("a");
    expect(before.received.at(-1)).toMatchObject({ type: "disconnect" });
    expect(after.leases).toHaveLength(1);
    expect(after.leases[0]!.id).not.toBe(before.received.flatMap((e) => (e.type === "assign" ? e.leases : []))[0]!.id);
    expect(cluster.core.status(cluster.nowMs).workers).toHaveLength(1);
  });

  it("under a name in use as another process takes nothing from the first, and comes in when that has gone", () => {
    const cluster = new CoreHarness({ tasks: 1 });
    const first = cluster.join("a", { incarnation: "one", host: "first" });
    const second = cluster.join("a", { incarnation: "two", host: "second" });
    expect(second.received).toMatchObject([{ type: "refuse", retry: true }]);
    expect(JSON.stringify(second.received)).toContain("a worker named a is connected from first already");
    cluster.join("a", { incarnation: "two", host: "second" });
    expect(cluster.events("refusal")).toHaveLength(1);
    expect(first.leases).toHaveLength(1);
    cluster.drop(first);
    expect(cluster.join("a", { incarnation: "two" }).received[0]).toMatchObject({ type: "welcome" });
    expect(cluster.join("a", { incarnation: "one" }).received).toMatchObject([{ type: "refuse", retry: true }]);
  });

  it("after it was killed, before the coordinator has noticed, waits for its own silence and no longer", () => {
    const cluster = new CoreHarness({ tasks: 1 });
    cluster.join("a", { incarnation: "one" });
    cluster.pass(4);
    expect(cluster.join("a", { incarnation: "two" }).received).toMatchObject([{ type: "refuse", retry: true }]);
    cluster.pass(1);
    const again = cluster.join("a", { incarnation: "two" });
    expect(again.received[0]).toMatchObject({ type: "welcome" });
    expect(again.leases).toHaveLength(1);
  });

  it("is kept alive by its own heartbeats alone", () => {
    const cluster = new CoreHarness();
    const first = cluster.join("a", { incarnation: "one" });
    cluster.pass(5, [{ ...first, incarnation: "two" }]);
    expect(cluster.worker("a")).toMatchObject({ state: "lost" });
  });
});

describe("a silent worker", () => {
  it("is lost after the patience, and its task is given out at once", () => {
    const cluster = new CoreHarness({ tasks: 1 });
    const silent = cluster.join("silent");
    const idle = cluster.join("idle");
    cluster.pass(4.9, [idle]);
    expect(idle.leases).toHaveLength(0);
    cluster.pass(0.1, [idle]);
    expect(idle.leases).toHaveLength(1);
    expect(cluster.worker("silent")).toMatchObject({ state: "lost", reason: "nothing heard for 5.0 s" });
    expect(silent.received.at(-1)).toMatchObject({ type: "disconnect" });
    expect(cluster.ends).toEqual(["silent lost"]);
  });

  it("is not lost while any message comes from it", () => {
    const cluster = new CoreHarness({ tasks: 4 });
    const worker = cluster.join("a");
    cluster.pass(4);
    cluster.answer(worker);
    cluster.pass(4);
    cluster.send({ type: "heartbeat", worker: "a", incarnation: "a#1", via: "stream", busySlots: 1 });
    cluster.pass(4);
    expect(cluster.worker("a")).toMatchObject({ state: "active", lastHeartbeatAgoSeconds: 4 });
  });

  it("is not blamed for the time in which the coordinator itself was stopped", () => {
    const cluster = new CoreHarness({ tasks: 2 });
    const worker = cluster.join("a");
    cluster.pass(1);
    cluster.answer(worker);
    cluster.nowMs += 60_000;
    cluster.send({ type: "tick" });
    expect(cluster.worker("a")).toMatchObject({ state: "active" });
    expect(worker.leases).toHaveLength(1);
    cluster.pass(5);
    expect(cluster.worker("a")).toMatchObject({ state: "lost" });
  });
});

describe("a worker that leaves", () => {
  it("is given nothing more, and what it still finishes counts", () => {
    const cluster = new CoreHarness({ tasks: 3 });
    const leaving = cluster.join("leaving");
    cluster.send({ type: "goodbye", session: leaving.session, reason: "SIGTERM" });
    expect(cluster.worker("leaving")).toMatchObject({ state: "draining", reason: "SIGTERM" });
    cluster.answer(leaving);
    expect(leaving.leases).toHaveLength(0);
    expect(cluster.ends).toEqual(["leaving accepted"]);
    cluster.drop(leaving);
    expect(cluster.worker("leaving")).toMatchObject({ state: "gone", reason: "SIGTERM" });
    expect(cluster.events("leave")).toHaveLength(1);
  });

  it("hands its leases back when it does not finish them", () => {
    const cluster = new CoreHarness({ tasks: 1 });
    const leaving = cluster.join("leaving");
    const other = cluster.join("other");
    cluster.send({ type: "goodbye", session: leaving.session, reason: "SIGTERM" });
    cluster.fail(leaving, "the worker is leaving");
    expect(other.leases).toHaveLength(1);
    expect(cluster.worker("leaving")).toMatchObject({ tasksFailed: 0 });
  });
});

describe("a worker that fails repeatedly", () => {
  function quarantined() {
    const cluster = new CoreHarness({ tasks: 2 });
    const bad = cluster.join("bad");
    for (let i = 0; i < 3; i++) cluster.answer(bad, { gradient: Float32Array.of(Number.NaN, 0, 0) });
    return { cluster, bad };
  }

  it("is quarantined, with the reason in the event and the status", () => {
    const { cluster, bad } = quarantined();
    const reason = "its result has a gradient that is NaN at element 0";
    expect(cluster.events("quarantine")).toMatchObject([{ worker: "bad", reason: `for 30 s: ${reason}` }]);
    expect(cluster.worker("bad")).toMatchObject({ state: "quarantined", reason, tasksFailed: 3 });
    expect(bad.received.at(-1)).toMatchObject({ type: "disconnect" });
  });

  it("is refused while it lasts, told once in the log, and let back afterwards", () => {
    const { cluster } = quarantined();
    for (let i = 0; i < 3; i++) expect(cluster.join("bad").received).toMatchObject([{ type: "refuse", retry: true }]);
    expect(cluster.events("refusal").filter(({ reason }) => reason.startsWith("quarantined until"))).toHaveLength(1);
    cluster.pass(30);
    expect(cluster.events("reinstated")).toMatchObject([{ worker: "bad" }]);
    expect(cluster.join("bad").received[0]).toMatchObject({ type: "welcome" });
  });

  it("is shut out for twice as long the next time", () => {
    const { cluster } = quarantined();
    cluster.pass(30);
    const again = cluster.join("bad");
    for (let i = 0; i < 3; i++) cluster.fail(again, "out of memory");
    expect(cluster.events("quarantine").at(-1)?.reason).toBe("for 60 s: out of memory");
  });

  it("begins anew when its name has been without a quarantine for 64 times the first", () => {
    const { cluster } = quarantined();
    cluster.pass(30 + 64 * 30 + 1);
    const again = cluster.join("bad");
    for (let i = 0; i < 3; i++) cluster.fail(again, "out of memory");
    expect(cluster.events("quarantine").at(-1)?.reason).toBe("for 30 s: out of memory");
  });

  it("does not begin anew by connecting again", () => {
    const cluster = new CoreHarness({ tasks: 2 });
    for (let i = 0; i < 3; i++) {
      const bad = cluster.join("bad");
      cluster.fail(bad, "out of memory");
      cluster.drop(bad);
    }
    expect(cluster.worker("bad")).toMatchObject({ state: "quarantined", tasksFailed: 3 });
  });

  it("is not shut out for failures that lie far apart", () => {
    const cluster = new CoreHarness({ tasks: 200 });
    const worker = cluster.join("a");
    for (let round = 0; round < 5; round++) {
      cluster.fail(worker, "out of memory");
      for (let i = 0; i < 9; i++) cluster.answer(worker);
    }
    expect(cluster.worker("a")).toMatchObject({ state: "active", tasksFailed: 5, tasksDone: 45 });
  });
});

describe("a new process under the name of a quarantined one", () => {
  function successor(...others: readonly string[]) {
    const cluster = new CoreHarness({ tasks: 4, steps: 9 });
    const bad = cluster.join("bad", { incarnation: "one" });
    for (let i = 0; i < 3; i++) cluster.fail(bad, "out of memory");
    const joined = others.map((name) => cluster.join(name));
    return { cluster, next: cluster.join("bad", { incarnation: "two" }), others: joined };
  }

  it("is let in, while the old one is not", () => {
    const { cluster, next } = successor();
    expect(next.received[0]).toMatchObject({ type: "welcome" });
    cluster.drop(next);
    expect(cluster.join("bad", { incarnation: "one" }).received).toMatchObject([{ type: "refuse", retry: true }]);
  });

  it("is given copies of what others compute until one of its results was the same", () => {
    const { cluster, next, others } = successor("good");
    const [good] = others as [JoinedWorker];
    expect(next.leases.map(placeOf)).toEqual(good.leases.map(placeOf));
    expect(cluster.worker("bad")?.reason).toContain("on trial: its name is in quarantine");
    cluster.answer(good);
    cluster.answer(next);
    expect(cluster.ends.slice(-2)).toEqual(["good accepted", "bad repeated"]);
    expect(cluster.events("trial").at(-1)).toMatchObject({
      worker: "bad",
      reason: "is over: its result was confirmed",
    });
    expect(next.leases.map(placeOf)).not.toEqual(good.leases.map(placeOf));
  });

  it("enters nothing into the parameters that nobody has confirmed", () => {
    const { cluster, next, others } = successor("good");
    const [good] = others as [JoinedWorker];
    const [copied] = next.leases;
    cluster.answer(next, { gradient: Float32Array.of(9, 9, 9) });
    expect(cluster.core.status(cluster.nowMs).leases.done).toBe(0);
    expect(good.leases.map(placeOf)).toEqual([placeOf(copied!)]);
  });

  it("stays on trial when its copy differs from the result that counts", () => {
    const { cluster, next, others } = successor("good");
    cluster.answer(others[0]!);
    cluster.answer(next, { gradient: Float32Array.of(9, 9, 9) });
    expect(cluster.ends.slice(-2)).toEqual(["good accepted", "bad repeated"]);
    expect(cluster.worker("bad")?.reason).toContain("on trial: its name is in quarantine");
  });

  it("stays on trial when somebody confirms a result of yet another process before it", () => {
    const { cluster, next, others } = successor("good");
    const [good] = others as [JoinedWorker];
    cluster.answer(next);
    cluster.drop(next);
    cluster.join("bad", { incarnation: "three" });
    cluster.answer(good);
    expect(cluster.audits).toEqual(["match"]);
    expect(cluster.worker("bad")?.reason).toContain("on trial: its name is in quarantine");
  });

  it("is out again, for twice as long, after one failure", () => {
    const { cluster, next } = successor("good");
    cluster.fail(next, "out of memory");
    expect(cluster.events("quarantine").at(-1)).toMatchObject({ worker: "bad", reason: "for 60 s: out of memory" });
  });

  it("is given tasks like any other when nobody else is there", () => {
    const { next } = successor();
    expect(next.leases.map(placeOf)).toEqual(["0/0"]);
  });
});

describe("a worker whose tasks others overtake", () => {
  /** Three tasks of `mute` are overtaken by `good`. */
  function overtaken() {
    const cluster = new CoreHarness({ tasks: 3, steps: 999 });
    const good = cluster.join("good");
    const mute = cluster.join("mute");
    const both = [good, mute];
    for (let second = 0; second < 60 && cluster.events("trial").length === 0; second++) {
      cluster.pass(1, both);
      if (good.leases.length > 0) cluster.answer(good);
    }
    return { cluster, good, mute, both };
  }

  it("is on trial after three without a result: it holds copies of what others compute, and nobody waits for it", () => {
    const { cluster, good, mute, both } = overtaken();
    expect(cluster.ends.filter((end) => end === "mute repeated")).toHaveLength(3);
    expect(cluster.worker("mute")).toMatchObject({ state: "active", tasksFailed: 0 });
    const before = cluster.steps.length;
    for (let second = 0; second < 9; second++) {
      cluster.pass(1, both);
      cluster.answer(good);
    }
    expect(cluster.steps.length - before).toBe(3);
    expect(mute.leases).toHaveLength(1);
  });

  it("is back with its first result, however late", () => {
    const { cluster, good, mute, both } = overtaken();
    for (let second = 0; second < 4; second++) {
      cluster.pass(1, both);
      cluster.answer(good);
    }
    cluster.answer(mute);
    expect(cluster.events("trial").at(-1)).toMatchObject({ worker: "mute", reason: "is over: it has answered" });
    expect(mute.leases.map(placeOf)).not.toEqual(good.leases.map(placeOf));
  });

  it("is not on trial when a result came between", () => {
    const cluster = new CoreHarness({ tasks: 3, steps: 999 });
    const good = cluster.join("good");
    const late = cluster.join("late");
    for (let second = 0; second < 60; second++) {
      cluster.pass(1, [good, late]);
      if (good.leases.length > 0) cluster.answer(good);
      const overtaken = cluster.ends.filter((end) => end === "late repeated").length;
      const answered = cluster.ends.filter((end) => end === "late accepted").length;
      if (late.leases.length > 0 && overtaken >= 2 * (answered + 1)) cluster.answer(late);
    }
    expect(cluster.ends.filter((end) => end === "late repeated").length).toBeGreaterThan(4);
    expect(cluster.events("trial")).toEqual([]);
  });

  it("has six copies again when it is on trial for the second time", () => {
    const { cluster, good, mute, both } = overtaken();
    const work = (seconds: number, until: () => boolean) => {
      for (let second = 0; second < seconds && !until(); second++) {
        cluster.pass(1, both);
        if (good.leases.length > 0) cluster.answer(good);
      }
    };
    work(40, () => false);
    cluster.answer(mute);
    work(60, () => cluster.events("trial").length === 3);
    const begun = cluster.nowMs;
    work(600, () => cluster.events("quarantine").length > 0);
    expect((cluster.nowMs - begun) / 1000).toBeCloseTo(315, -1);
  });

  it("is quarantined when it lets six copies lapse, each of which may take twice as long as the last", () => {
    const { cluster, good, mute, both } = overtaken();
    const begun = cluster.nowMs;
    for (let second = 0; second < 600 && cluster.events("quarantine").length === 0; second++) {
      cluster.pass(1, both);
      if (good.leases.length > 0) cluster.answer(good);
    }
    expect(cluster.events("quarantine")[0]).toMatchObject({ worker: "mute" });
    expect(cluster.events("quarantine")[0]?.reason).toContain("it answers nothing: 6 copies in a row on trial");
    // 5, 10, 20, 40, 80 and 160 s.
    expect((cluster.nowMs - begun) / 1000).toBeCloseTo(315, -1);
    expect(mute.received.at(-1)).toMatchObject({ type: "disconnect" });
  });

  it("is not on trial for copies that it was given late and that others then ended soon", () => {
    const cluster = new CoreHarness({ tasks: 1, steps: 999 });
    // Whoever has most free slots is given the next task.
    const slow = cluster.join("slow", { slots: 3 });
    cluster.pass(1, [slow]);
    cluster.answer(slow);
    const helper = cluster.join("helper");
    const both = [slow, helper];
    for (let i = 0; i < 4; i++) {
      for (let second = 0; second < 60 && helper.leases.length === 0; second++) cluster.pass(1, both);
      cluster.pass(0.5, both);
      cluster.answer(slow);
    }
    expect(cluster.ends.filter((end) => end.startsWith("helper"))).toEqual(Array(4).fill("helper repeated"));
    expect(cluster.events("trial")).toEqual([]);
  });

  it("is on trial as well when its tasks run out of time while the others are too busy to overtake it", () => {
    const cluster = new CoreHarness({ tasks: 60, steps: 9 });
    const good = cluster.join("good");
    const mute = cluster.join("mute");
    for (let second = 0; second < 20; second++) {
      cluster.pass(1, [good, mute]);
      cluster.answer(good);
    }
    expect(cluster.ends.filter((end) => end.startsWith("mute"))).toEqual(Array(3).fill("mute lost"));
    expect(cluster.events("trial")[0]?.reason).toMatch(/3 tasks in a row without a result, at last as no result after/);
  });

  it("is not held to be silent when it is the only one left", () => {
    const { cluster, good, mute } = overtaken();
    cluster.drop(good);
    cluster.pass(600, [mute]);
    expect(cluster.worker("mute")).toMatchObject({ state: "active" });
    const before = cluster.steps.length;
    cluster.finish(mute);
    expect(cluster.steps.length).toBeGreaterThan(before);
  });
});
