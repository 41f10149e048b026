import { describe, expect, it } from "vitest";
import { CoreHarness, groupOf } from "../testing/core-harness.js";

/** θ after the first step, when each task is answered by itself. */
function thetaOfSingles(tasks: number): string {
  const cluster = new CoreHarness({ tasks, steps: 1 });
  cluster.finish(cluster.join("a", { slots: tasks }));
  return cluster.steps[0]!.thetaSha256;
}

describe("a group of results", () => {
  it("counts for all its tasks, to the same bits", () => {
    const cluster = new CoreHarness({ tasks: 6, steps: 1 });
    const a = cluster.join("a", { slots: 5 });
    const b = cluster.join("b");
    cluster.answer(b);
    cluster.answerGroup(a, a.leases.slice());
    expect(cluster.steps[0]?.thetaSha256).toBe(thetaOfSingles(6));
    expect(cluster.ends.filter((end) => end === "a accepted")).toHaveLength(5);
    expect(cluster.worker("a")?.tasksDone).toBe(5);
  });

  it("may leave out tasks that are still being computed", () => {
    const cluster = new CoreHarness({ tasks: 4, steps: 1 });
    const a = cluster.join("a", { slots: 4 });
    cluster.answerGroup(a, a.leases.slice(1, 3));
    expect(cluster.steps).toEqual([]);
    cluster.finish(a);
    expect(cluster.steps[0]?.thetaSha256).toBe(thetaOfSingles(4));
  });

  it("is asked for only where nothing is compared, and never when groups are off", () => {
    const audited = new CoreHarness({ tasks: 2, cluster: { auditShare: 1 } });
    expect(audited.join("a", { slots: 2 }).leases.map(({ groupable }) => groupable)).toEqual([false, false]);
    const off = new CoreHarness({ tasks: 2, cluster: { groups: false } });
    expect(off.join("a", { slots: 2 }).leases.map(({ groupable }) => groupable)).toEqual([false, false]);
    const on = new CoreHarness({ tasks: 2 });
    expect(on.join("a", { slots: 2 }).leases.map(({ groupable }) => groupable)).toEqual([true, true]);
  });

  it("is refused as a whole when its sum can be none, and held against its worker once", () => {
    const cluster = new CoreHarness({ tasks: 3, steps: 1 });
    const a = cluster.join("a", { slots: 3 });
    const { tasks, sum } = groupOf(a.leases);
    const high = sum.high.slice().fill(0xff);
    cluster.send({ type: "group", session: a.session, group: { tasks, sum: { ...sum, high } } });
    expect(cluster.ends).toEqual(["a refused", "a refused", "a refused"]);
    expect(cluster.events("refusal")[0]?.reason).toContain("has a sum of high parts that is NaN at element 0");
    expect(cluster.worker("a")?.state).toBe("active");
    a.leases.splice(0, 3);
    cluster.finish(a);
    expect(cluster.steps[0]?.thetaSha256).toBe(thetaOfSingles(3));
  });

  it("with a report of another task is refused", () => {
    const cluster = new CoreHarness({ tasks: 2 });
    const a = cluster.join("a", { slots: 2 });
    const { tasks, sum } = groupOf(a.leases);
    const swapped = [tasks[0]!, { ...tasks[1]!, report: tasks[0]!.report }];
    cluster.send({ type: "group", session: a.session, group: { tasks: swapped, sum } });
    expect(cluster.events("refusal")[0]?.reason).toContain("task 0, not metaTraining step 0 task 1");
  });

  it("with a task that is wanted by itself is refused", () => {
    const cluster = new CoreHarness({ tasks: 2, cluster: { auditShare: 1 } });
    const a = cluster.join("a", { slots: 2 });
    cluster.join("b", { slots: 2 });
    cluster.answerGroup(a, a.leases.slice());
    expect(cluster.events("refusal")[0]?.reason).toContain("is a sum with task 0, which is wanted by itself");
  });

  it("of tasks of two steps is refused", () => {
    const cluster = new CoreHarness({ tasks: 1, steps: 3, cluster: { pipeline: 1 } });
    const a = cluster.join("a", { slots: 2 });
    cluster.answerGroup(a, a.leases.slice());
    expect(cluster.events("refusal")[0]?.reason).toContain("is the sum of tasks of the steps 0 and 1");
  });

  it("with a task of which a copy came meanwhile that has to be compared does not count: its tasks are given out again", () => {
    const cluster = new CoreHarness({ tasks: 3, steps: 1 });
    const bad = cluster.join("bad", { incarnation: "one" });
    for (let i = 0; i < 3; i++) cluster.fail(bad, "out of memory");
    const a = cluster.join("a", { slots: 3 });
    const successor = cluster.join("bad", { incarnation: "two" });
    cluster.answer(successor);
    cluster.answerGroup(a, a.leases.slice());
    expect(cluster.ends.slice(-3)).toEqual(["a lost", "a lost", "a lost"]);
    cluster.finish(a);
    expect(cluster.audits).toEqual(["match"]);
    expect(cluster.steps[0]?.thetaSha256).toBe(thetaOfSingles(3));
  });

  it("with a task that others have finished does not count: the rest of it is given out again", () => {
    const cluster = new CoreHarness({ tasks: 3, steps: 1 });
    const a = cluster.join("a", { slots: 3 });
    const group = groupOf(a.leases);
    const [first] = a.leases;
    // The cancellation of its first task is still on its way when the group is sent.
    cluster.send({ type: "failure", session: a.session, lease: first!.id, reason: "given up" });
    cluster.send({ type: "group", session: a.session, group });
    expect(cluster.ends).toEqual(["a failed", "a late", "a lost", "a lost"]);
    expect(cluster.events("release").at(-1)?.reason).toContain("added up with one that nobody waits for any more");
    a.leases.splice(0, 3);
    cluster.finish(a);
    expect(cluster.steps[0]?.thetaSha256).toBe(thetaOfSingles(3));
  });

  it("of another session, or sent twice, changes nothing", () => {
    const cluster = new CoreHarness({ tasks: 3, steps: 1 });
    const a = cluster.join("a", { slots: 2 });
    const b = cluster.join("b");
    const group = groupOf(a.leases);
    cluster.send({ type: "group", session: b.session, group });
    expect(cluster.ends).toEqual(["b late", "b late"]);
    cluster.answerGroup(a, a.leases.slice());
    cluster.send({ type: "group", session: a.session, group });
    cluster.answer(b);
    expect(cluster.steps[0]?.thetaSha256).toBe(thetaOfSingles(3));
  });

  it("of a worker that an audit finds wrong is taken out exactly", () => {
    const cluster = new CoreHarness({ tasks: 40, steps: 1, cluster: { auditShare: 0.1 } });
    const liar = cluster.join("liar", { slots: 8 });
    const b = cluster.join("b");
    const c = cluster.join("c");
    const wrong = { gradient: Float32Array.of(9, 9, 9) };
    const plain = () => liar.leases.filter(({ groupable }) => groupable);
    // Its groups count until somebody computes one of its audited tasks again.
    while (plain().length >= 2) cluster.answerGroup(liar, plain(), wrong);
    const sentInGroups = cluster.ends.filter((end) => end === "liar accepted").length;
    expect(sentInGroups).toBeGreaterThan(8);
    while (liar.leases.length > 0) cluster.answer(liar, wrong);
    cluster.finish(b, c);
    expect(cluster.worker("liar")?.state).toBe("quarantined");
    expect(cluster.ends.filter((end) => end === "liar dropped").length).toBeGreaterThanOrEqual(sentInGroups);
    expect(cluster.steps[0]?.thetaSha256).toBe(thetaOfSingles(40));
  });
});
