import { describe, expect, it } from "vitest";
import { CoreHarness } from "../testing/core-harness.js";

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

  it("from two machines under one name does not make them throw each other out in turns", () => {
    const cluster = new CoreHarness();
    cluster.join("a", { incarnation: "one", host: "first" });
    const second = cluster.join("a", { incarnation: "two", host: "second" });
    const again = cluster.join("a", { incarnation: "one", host: "first" });
    expect(again.received).toMatchObject([{ type: "refuse", retry: true }]);
    expect(JSON.stringify(again.received)).toContain("another worker named a joined later, from second");
    cluster.drop(second);
    expect(cluster.join("a", { incarnation: "one" }).received[0]).toMatchObject({ type: "welcome" });
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
    cluster.send({ type: "heartbeat", worker: "a", via: "stream", busySlots: 1 });
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
