import { describe, expect, it } from "vitest";
import { CoreHarness, placeOf } from "../testing/core-harness.js";

describe("leases", () => {
  it("fill all free slots, lowest step and index first, but what another worker was told of last", () => {
    const cluster = new CoreHarness({ tasks: 5 });
    expect(cluster.join("a", { slots: 2 }).leases.map(placeOf)).toEqual(["0/0", "0/1"]);
    expect(cluster.join("b", { slots: 2 }).leases.map(placeOf)).toEqual(["0/4", "0/2"]);
    const core = cluster.core.status(cluster.nowMs);
    expect(core.leases).toMatchObject({ pending: 1, leased: 4, done: 0 });
  });

  it("send the parameters once for a step, before the first lease that needs them", () => {
    const cluster = new CoreHarness({ tasks: 3 });
    const worker = cluster.join("a");
    cluster.finish(worker);
    const sent = worker.received.filter(({ type }) => type === "parameters" || type === "assign");
    expect(sent.map((each) => (each.type === "parameters" ? each.step : "assign"))).toEqual([
      0,
      "assign",
      "assign",
      "assign",
      1,
      "assign",
      "assign",
      "assign",
    ]);
  });

  it("that are lost with their stream are given out again at once, to a newcomer if need be", () => {
    const cluster = new CoreHarness({ tasks: 2 });
    const dying = cluster.join("dying", { slots: 2 });
    cluster.drop(dying, "reset by peer");
    const heir = cluster.join("heir", { slots: 2 });
    expect(heir.leases.map(placeOf)).toEqual(["0/0", "0/1"]);
    expect(cluster.events("release").map(({ worker, reason }) => `${worker}: ${reason}`)).toEqual(
      Array(2).fill("dying: its worker's stream closed: reset by peer"),
    );
  });

  it("end after the patience in usual times where others could compute the task; slowness is no failure", () => {
    const cluster = new CoreHarness({ tasks: 9, steps: 9 });
    const hanging = cluster.join("hanging");
    const working = cluster.join("working", { slots: 2 });
    cluster.pass(2, [hanging, working]);
    cluster.answer(working);
    // The usual time is 2 s now, and the patience 5.
    cluster.pass(7.9, [hanging, working]);
    expect(cluster.ends).not.toContain("hanging lost");
    cluster.pass(0.1, [hanging, working]);
    expect(cluster.ends).toContain("hanging lost");
    expect(cluster.worker("hanging")).toMatchObject({ state: "active", tasksFailed: 0 });
    expect(cluster.events("release")[0]?.reason).toBe("no result after 10 s, where 2.0 s is usual");
  });

  it("of the only worker last eight times as long, and longer each time: it has become slow, and is not shut out", () => {
    const cluster = new CoreHarness({ tasks: 2, steps: 1 });
    const alone = cluster.join("alone");
    cluster.pass(1, [alone]);
    cluster.answer(alone);
    const ends = [40, 80, 160, 320].map((seconds) => {
      cluster.pass(seconds - 1, [alone]);
      const before = cluster.events("release").length;
      cluster.pass(1, [alone]);
      return cluster.events("release").length - before;
    });
    expect(ends).toEqual([1, 1, 1, 1]);
    expect(cluster.worker("alone")).toMatchObject({ state: "active" });
    cluster.finish(alone);
    expect(cluster.effects.at(-1)).toMatchObject({ type: "ended", complete: true });
  });

  it("go on to a third worker when the second hangs, too", () => {
    const cluster = new CoreHarness({ tasks: 1, steps: 1 });
    const [first, second] = [cluster.join("first"), cluster.join("second")];
    cluster.pass(5, [first, second]);
    expect(second.leases).toHaveLength(1);
    const third = cluster.join("third");
    expect(third.leases).toHaveLength(0);
    cluster.pass(5, [first, second, third]);
    expect(third.leases).toHaveLength(1);
  });

  it("that are slow go rather to who has answered before than to a newcomer", () => {
    const cluster = new CoreHarness({ tasks: 3, steps: 2 });
    const silent = cluster.join("silent");
    const known = cluster.join("known");
    cluster.pass(1, [silent, known]);
    cluster.answer(known);
    cluster.answer(known);
    const newcomer = cluster.join("newcomer", { slots: 9 });
    cluster.pass(1, [silent, known, newcomer]);
    expect(known.leases.map(placeOf)).toEqual(silent.leases.map(placeOf));
  });

  it("that are slow go to an idle worker as well; the first result counts and the other is cancelled", () => {
    const cluster = new CoreHarness({ tasks: 3, steps: 1 });
    const slow = cluster.join("slow");
    const quick = cluster.join("quick");
    cluster.pass(1, [slow, quick]);
    cluster.answer(quick);
    cluster.answer(quick);
    cluster.pass(0.9, [slow, quick]);
    expect(quick.leases).toHaveLength(0);
    cluster.pass(0.1, [slow, quick]);
    expect(quick.leases.map(placeOf)).toEqual(slow.leases.map(placeOf));
    expect(cluster.core.status(cluster.nowMs).leases).toMatchObject({ leased: 2, backup: 1 });
    const [lost] = slow.leases;
    cluster.answer(quick);
    expect(slow.received.find(({ type }) => type === "cancel")).toMatchObject({ leases: [lost!.id] });
    expect(cluster.steps).toHaveLength(1);
    cluster.answer(slow, {}, lost);
    expect(cluster.ends.slice(-3)).toEqual(["quick accepted", "slow repeated", "slow late"]);
    expect(cluster.steps).toHaveLength(1);
  });

  it("are not doubled while they take no longer than usual", () => {
    const cluster = new CoreHarness({ tasks: 3, steps: 3 });
    const workers = [cluster.join("a"), cluster.join("b")];
    for (let round = 0; round < 5; round++) {
      cluster.pass(1, workers);
      for (const worker of workers) if (worker.leases.length > 0) cluster.answer(worker);
    }
    expect(cluster.ends.filter((end) => end.endsWith("repeated"))).toEqual([]);
  });

  it("of a worker that hangs from the start go to an idle one after the patience", () => {
    const cluster = new CoreHarness({ tasks: 1, steps: 1 });
    const hanging = cluster.join("hanging");
    const idle = cluster.join("idle");
    cluster.pass(5, [hanging, idle]);
    cluster.answer(idle);
    expect(cluster.effects.at(-1)).toMatchObject({ type: "ended", complete: true });
  });

  it("of another stream or another life of the coordinator count for nothing", () => {
    const cluster = new CoreHarness({ tasks: 1, incarnation: "second" });
    const a = cluster.join("a");
    const b = cluster.join("b");
    const lease = a.leases[0]!;
    cluster.answer(b, {}, lease);
    cluster.answer(a, {}, { ...lease, id: lease.id.replace("second", "first") });
    expect(cluster.ends).toEqual(["b late", "a late"]);
    expect(cluster.steps).toEqual([]);
  });

  it("go rather to a worker that has not failed at the task before", () => {
    const cluster = new CoreHarness({ tasks: 2 });
    const a = cluster.join("a");
    const b = cluster.join("b");
    cluster.fail(a, "out of memory");
    expect(a.leases.map(placeOf)).toEqual(["0/0"]);
    cluster.pass(1, [a, b]);
    cluster.answer(b);
    expect(b.leases).toEqual([]);
    cluster.fail(a, "out of memory");
    expect(b.leases.map(placeOf)).toEqual(["0/0"]);
  });
});
