import type { Lease, TaskOutcome } from "@mzsr/shared";
import { describe, expect, it } from "vitest";
import { CoreHarness, type JoinedWorker, placeOf, smallOutcome } from "../testing/core-harness.js";
import { type AuditCase, isAudited, nextAuditMove } from "./audits.js";

/** The right outcome but for the lowest bit of one number. */
function oneBitOff({ task }: Lease): Partial<TaskOutcome> {
  const { gradient } = smallOutcome(task);
  new Uint32Array(gradient.buffer)[2]! ^= 1;
  return { gradient };
}

function answerWrongly(cluster: CoreHarness, worker: JoinedWorker, lease = worker.leases[0]!): void {
  cluster.answer(worker, oneBitOff(lease), lease);
}

describe("the share of audited tasks", () => {
  it("is as configured, and the same tasks every time", () => {
    const drawn = () => Array.from({ length: 4000 }, (_, i) => isAudited(7, i >> 2, i & 3, 0.1));
    expect(drawn()).toEqual(drawn());
    const share = drawn().filter(Boolean).length / 4000;
    expect(share).toBeGreaterThan(0.08);
    expect(share).toBeLessThan(0.12);
    expect(isAudited(7, 0, 0, 0)).toBe(false);
    expect(isAudited(7, 0, 0, 1)).toBe(true);
  });
});

describe("nextAuditMove", () => {
  const names = (text: string) => (text === "" ? [] : text.split(" "));
  /** Votes as `worker:hash`. */
  const move = (votes: string, workers: string, more: Partial<AuditCase> = {}) =>
    nextAuditMove({
      backend: "simd",
      votes: names(votes).map((vote) => {
        const [worker, hash] = vote.split(":") as [string, string];
        return { worker, incarnation: `${worker}#1`, hash, backend: "simd" } as AuditCase["votes"][number];
      }),
      leaseholders: [],
      workers: names(workers).map((worker) => ({ worker, backend: worker.startsWith("cuda") ? "cuda" : "simd" })),
      alone: true,
      waitedForThird: false,
      overdue: false,
      ...more,
    });

  it("asks another worker of the same backend", () => {
    expect(move("a:1", "a b cuda-c")).toEqual({ move: "compute", by: ["b"], kind: "audit" });
  });

  it("asks for the second opinion while the first is still being computed", () => {
    expect(move("", "a b c", { leaseholders: ["a"] })).toEqual({ move: "compute", by: ["b", "c"], kind: "audit" });
    expect(move("", "a b c", { leaseholders: ["a", "b"] })).toEqual({ move: "wait", forThird: false });
  });

  it("settles when two agree, and knows who was wrong", () => {
    expect(move("a:1 b:1", "a b c")).toMatchObject({ move: "settle", result: "match", wrong: [] });
    const third = move("a:2 b:1 c:1", "a b c");
    expect(third).toMatchObject({ move: "settle", result: "mismatch", wrong: ["a"], vote: { worker: "b" } });
  });

  it("asks a third when two differ", () => {
    expect(move("a:1 b:2", "a b c")).toEqual({ move: "compute", by: ["c"], kind: "audit" });
  });

  it("is skipped when nobody else has been there for a while, and waits otherwise", () => {
    expect(move("a:1", "a cuda-b")).toMatchObject({ move: "settle", result: "skipped", vote: { worker: "a" } });
    expect(move("a:1", "a", { alone: false })).toEqual({ move: "wait", forThird: false });
  });

  it("lets both compute again when there is no third, and believes the one that does not contradict itself", () => {
    expect(move("a:1 b:2", "a b")).toEqual({ move: "compute", by: ["a", "b"], kind: "again" });
    expect(move("a:1 b:2 a:3", "a b")).toEqual({ move: "compute", by: ["b"], kind: "again" });
    const settled = move("a:1 b:2 a:3 b:2", "a b");
    expect(settled).toMatchObject({
      move: "settle",
      result: "mismatch",
      wrong: ["a"],
      vote: { worker: "b", hash: "2" },
    });
  });

  it("settles when the second try of one agrees with the other: the first try was wrong", () => {
    expect(move("a:1 b:2 a:2", "a b")).toMatchObject({ move: "settle", vote: { hash: "2" }, wrong: ["a"] });
  });

  it("begins anew when all contradict themselves", () => {
    expect(move("a:1 b:2 a:3 b:4", "a b")).toEqual({ move: "restart", wrong: ["a", "b"] });
  });

  it("waits for a third when each stands by its result, and keeps the first after that", () => {
    expect(move("a:1 b:2 a:1 b:2", "a b")).toEqual({ move: "wait", forThird: true });
    expect(move("a:1 b:2 a:1 b:2", "a b c")).toEqual({ move: "compute", by: ["c"], kind: "audit" });
    const undecided = move("a:1 b:2 a:1 b:2", "a b", { waitedForThird: true });
    expect(undecided).toMatchObject({ move: "settle", result: "undecided", wrong: [], vote: { hash: "1" } });
  });
});

describe("an audit that has taken as long as it may", () => {
  const vote = (worker: string, hash: string) =>
    ({ worker, incarnation: "1", hash, backend: "simd" }) as AuditCase["votes"][number];
  const closed = (...votes: AuditCase["votes"]) =>
    nextAuditMove({
      backend: "simd",
      votes,
      leaseholders: ["silent"],
      workers: ["a", "b", "other"].map((worker) => ({ worker, backend: "simd" })),
      alone: false,
      waitedForThird: false,
      overdue: true,
    });

  it("is skipped when nobody disagrees, whoever else could still compute it", () => {
    expect(closed(vote("a", "1"))).toMatchObject({
      move: "settle",
      result: "skipped",
      vote: { worker: "a" },
      wrong: [],
    });
  });

  it("is decided with the results that are there", () => {
    expect(closed(vote("a", "1"), vote("b", "2"))).toMatchObject({ result: "undecided", vote: { worker: "a" } });
    const contradiction = closed(vote("a", "1"), vote("b", "2"), vote("a", "3"));
    expect(contradiction).toMatchObject({ result: "mismatch", vote: { worker: "b" }, wrong: ["a"] });
  });
});

describe("an audited cluster", () => {
  function audited(...names: string[]): { cluster: CoreHarness; workers: JoinedWorker[] } {
    const cluster = new CoreHarness({ tasks: 2, steps: 1, cluster: { auditShare: 1 } });
    return { cluster, workers: names.map((name) => cluster.join(name)) };
  }

  it("computes each task on two workers and goes on when they agree", () => {
    const { cluster, workers } = audited("a", "b");
    cluster.finish(...workers);
    expect(cluster.audits).toEqual(["match", "match"]);
    expect(cluster.ends.map((end) => end.split(" ")[1])).toEqual(["accepted", "accepted", "audited", "audited"]);
    expect(cluster.steps).toHaveLength(1);
  });

  it("finds a worker that flips one bit, quarantines it, and computes its unaudited results again", () => {
    const cluster = new CoreHarness({ tasks: 2, steps: 1, cluster: { auditShare: 0.5 } });
    // Seed 1 audits one of the two tasks.
    const [bad, good] = [cluster.join("bad", { slots: 2 }), cluster.join("good")];
    const isUnderAudit = (place: string) => good.leases.some((lease) => placeOf(lease) === place);
    const unaudited = bad.leases.find((lease) => !isUnderAudit(placeOf(lease)))!;
    const underAudit = bad.leases.find((lease) => isUnderAudit(placeOf(lease)))!;
    answerWrongly(cluster, bad, unaudited);
    answerWrongly(cluster, bad, underAudit);
    cluster.answer(good);
    const decider = cluster.join("decider");
    cluster.pass(0.1, [bad, good, decider]);
    expect(decider.leases.map(placeOf)).toEqual([placeOf(underAudit)]);
    cluster.answer(decider);
    expect(cluster.audits).toEqual(["mismatch"]);
    expect(cluster.worker("bad")).toMatchObject({ state: "quarantined" });
    expect(cluster.events("quarantine")[0]?.reason).toContain(`an audit found its result of step 0 task`);
    expect(cluster.ends).toContain("bad dropped");
    expect([...good.leases, ...decider.leases].map(placeOf)).toContain(placeOf(unaudited));
    expect(cluster.steps).toEqual([]);
    cluster.finish(good, decider);
    expect(cluster.steps).toHaveLength(1);
  });

  it("changes no parameters: a task that is computed twice counts once", () => {
    const theta = (auditShare: number) => {
      const cluster = new CoreHarness({ tasks: 2, steps: 1, cluster: { auditShare } });
      cluster.finish(cluster.join("a"), cluster.join("b"));
      return [cluster.audits, cluster.steps[0]?.thetaSha256] as const;
    };
    // Seed 1 audits one of the two tasks.
    expect(theta(0.5)).toEqual([["match"], theta(0)[1]]);
  });

  it("has the same parameters as one that never met the bad worker", () => {
    const quiet = audited("a", "b");
    quiet.cluster.finish(...quiet.workers);
    const { cluster, workers } = audited("bad", "a", "b");
    const [bad, a, b] = workers as [JoinedWorker, JoinedWorker, JoinedWorker];
    while (bad.leases.length > 0) answerWrongly(cluster, bad);
    cluster.finish(a, b);
    expect(cluster.audits).toContain("mismatch");
    expect(cluster.steps[0]?.thetaSha256).toBe(quiet.cluster.steps[0]?.thetaSha256);
  });

  it("does not wait for company when there has been none for the patience", () => {
    const { cluster, workers } = audited("alone");
    cluster.pass(5, workers);
    cluster.answer(workers[0]!);
    cluster.answer(workers[0]!);
    expect(cluster.audits).toEqual(["skipped", "skipped"]);
    expect(cluster.steps).toHaveLength(1);
  });

  it("waits for workers that may be on their way when the coordinator has just started", () => {
    const { cluster, workers } = audited("early");
    cluster.answer(workers[0]!);
    cluster.answer(workers[0]!);
    expect(cluster.audits).toEqual([]);
    cluster.pass(2, workers);
    const late = cluster.join("late");
    cluster.finish(late);
    expect(cluster.audits).toEqual(["match", "match"]);
  });

  it("goes on undecided when two workers stand by their results and no third comes", () => {
    const cluster = new CoreHarness({ tasks: 1, steps: 1, cluster: { auditShare: 1 } });
    const [a, b] = [cluster.join("a"), cluster.join("b")];
    while (a.leases.length + b.leases.length > 0) {
      if (a.leases.length > 0) cluster.answer(a);
      if (b.leases.length > 0) answerWrongly(cluster, b);
    }
    cluster.pass(4.9, [a, b]);
    expect(cluster.steps).toEqual([]);
    cluster.pass(0.2, [a, b]);
    expect(cluster.audits).toEqual(["undecided"]);
    expect(cluster.events("audit")[0]?.reason).toContain("undecided, a's is kept");
    expect(cluster.steps).toHaveLength(1);
  });

  it("neither compares results of different backends nor waits for a worker of another one", () => {
    const cluster = new CoreHarness({ tasks: 1, steps: 1, cluster: { auditShare: 1, mixedBackends: true } });
    const simd = cluster.join("simd", { backend: "simd" });
    const cuda = cluster.join("cuda", { backend: "cuda" });
    cluster.pass(5, [simd, cuda]);
    expect(cuda.leases).toEqual([]);
    cluster.answer(simd);
    cluster.pass(5, [simd, cuda]);
    expect(cluster.audits).toEqual(["skipped"]);
  });

  it("waits for silent workers no longer than one bound in all, under however many names they come", () => {
    const cluster = new CoreHarness({ tasks: 1, steps: 1, cluster: { auditShare: 1 } });
    const honest = cluster.join("honest");
    const silent = [cluster.join("silent")];
    cluster.pass(1, [honest, ...silent]);
    cluster.answer(honest);
    // Three lease deadlines of 5 s each, from the first result on.
    for (let second = 0; second < 14; second++) {
      silent.push(cluster.join(`silent-${second}`));
      cluster.pass(1, [honest, ...silent]);
    }
    expect(cluster.audits).toEqual([]);
    cluster.pass(1, [honest, ...silent]);
    expect(cluster.audits).toEqual(["skipped"]);
    expect(cluster.events("audit")[0]?.reason).toBe("skipped: in 15 s nobody else computed what honest had");
    expect(cluster.effects.at(-1)).toMatchObject({ type: "ended", complete: true });
  });

  it("has its whole bound again when it begins anew, since all its results were wrong", () => {
    const cluster = new CoreHarness({ tasks: 1, steps: 1, cluster: { auditShare: 1 } });
    const liars = [cluster.join("a"), cluster.join("b")];
    for (let bit = 1; bit <= 4; bit++) {
      const liar = liars.find(({ leases }) => leases.length > 0)!;
      cluster.answer(liar, { gradient: Float32Array.of(bit, 0, 0.5) });
    }
    expect(cluster.events("quarantine").map(({ worker }) => worker)).toEqual(["a", "b"]);
    cluster.pass(20);
    const honest = [cluster.join("c"), cluster.join("d")];
    cluster.answer(honest[0]!);
    cluster.pass(1, honest);
    expect(cluster.audits).toEqual([]);
    cluster.answer(honest[1]!);
    expect(cluster.audits).toEqual(["match"]);
  });

  it("condemns the process that was wrong, not one that has taken its name since", () => {
    const cluster = new CoreHarness({ tasks: 1, steps: 1, cluster: { auditShare: 1 } });
    const bad = cluster.join("bad", { incarnation: "one" });
    const a = cluster.join("a");
    answerWrongly(cluster, bad);
    cluster.drop(bad);
    cluster.join("bad", { incarnation: "two" });
    cluster.answer(a);
    const b = cluster.join("b");
    cluster.pass(0.1, [a, b]);
    cluster.answer(b);
    expect(cluster.audits).toEqual(["mismatch"]);
    expect(cluster.events("quarantine")).toEqual([]);
  });
});
