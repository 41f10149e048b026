import { describe, expect, it } from "vitest";
import { CoreHarness, type JoinedWorker, placeOf } from "../testing/core-harness.js";

/** Tasks that a worker was told of, in order. */
function announced({ received }: JoinedWorker): string[] {
  return received
    .flatMap((effect) => (effect.type === "announce" ? effect.tasks : []))
    .map(({ step, index }) => `${step}/${index}`);
}

describe("announcements", () => {
  it("name what comes after a worker's leases: of the same step first, then of the next, as many as it has slots", () => {
    const cluster = new CoreHarness({ tasks: 3 });
    const a = cluster.join("a", { slots: 2 });
    expect([a.leases.map(placeOf), announced(a)]).toEqual([
      ["0/0", "0/1"],
      ["0/2", "1/0"],
    ]);
    cluster.answer(a);
    expect(announced(a).slice(2)).toEqual(["1/1"]);
  });

  it("tell each task to one worker, who is then given it, whoever is free first", () => {
    const cluster = new CoreHarness({ tasks: 4 });
    const [a, b] = [cluster.join("a"), cluster.join("b")];
    expect([a, b].map(({ leases }) => leases.map(placeOf))).toEqual([["0/0"], ["0/2"]]);
    expect([announced(a), announced(b)]).toEqual([["0/1"], ["0/3"]]);
    cluster.answer(b);
    expect(b.leases.map(placeOf)).toEqual(["0/3"]);
    cluster.answer(a);
    expect(a.leases.map(placeOf)).toEqual(["0/1"]);
  });

  it("carry over the step's end", () => {
    const cluster = new CoreHarness({ tasks: 2, steps: 3 });
    const [a, b] = [cluster.join("a"), cluster.join("b")];
    cluster.answer(b);
    cluster.answer(a);
    expect([announced(a).slice(0, 2), announced(b).slice(0, 1)]).toEqual([["0/1", "1/0"], ["1/1"]]);
    expect([a, b].map(({ leases }) => leases.map(placeOf))).toEqual([["1/0"], ["1/1"]]);
  });

  it("go to the worker that will be free first, so that workers who take turns are all told", () => {
    const cluster = new CoreHarness({ tasks: 1, steps: 12, cluster: { pipeline: 1 } });
    const a = cluster.join("a");
    cluster.nowMs += 50;
    const workers = [a, cluster.join("b")];
    const given = workers.map(({ leases }) => leases.map(placeOf));
    for (let turn = 0; turn < 10; turn++) {
      const worker = workers[turn % 2]!;
      cluster.nowMs += 50;
      cluster.answer(worker);
      given[turn % 2]!.push(placeOf(worker.leases[0]!));
    }
    expect(workers.map(announced)).toEqual([["1/0", ...given[0]!.slice(1)], given[1]!.slice(1)]);
  });

  it("consider how long each worker's tasks take", () => {
    const cluster = new CoreHarness({ tasks: 1, steps: 9, cluster: { pipeline: 1 } });
    const [slow, fast] = [cluster.join("slow"), cluster.join("fast")];
    expect([announced(slow), announced(fast)]).toEqual([["1/0", "2/0"], []]);
    cluster.nowMs += 400;
    cluster.answer(fast);
    cluster.nowMs += 1600;
    cluster.answer(slow);
    // Both have a task since now; the slow one will need 2 s for it, the other one 0.4 s.
    expect([slow, fast].map(({ leases }) => leases.map(placeOf))).toEqual([["2/0"], ["3/0"]]);
    expect([announced(slow), announced(fast)]).toEqual([["1/0", "2/0"], ["4/0"]]);
  });

  it("bind nobody: the task of a busy worker goes to an idle one", () => {
    const cluster = new CoreHarness({ tasks: 2, steps: 1 });
    const busy = cluster.join("busy");
    expect(announced(busy)).toEqual(["0/1"]);
    expect(cluster.join("idle").leases.map(placeOf)).toEqual(["0/1"]);
  });

  it("of a later step wait while a task of this one is without a worker", () => {
    const cluster = new CoreHarness({ tasks: 2, steps: 3, cluster: { pipeline: 1 } });
    const [a, b] = [cluster.join("a"), cluster.join("b")];
    expect([a, b].map(({ leases }) => leases.map(placeOf))).toEqual([["0/0"], ["0/1"]]);
    expect(announced(a)).toEqual(["0/1", "1/0"]);
    cluster.drop(b);
    cluster.answer(a);
    expect(a.leases.map(placeOf)).toEqual(["0/1"]);
  });

  it("are made again to others when their worker has gone", () => {
    const cluster = new CoreHarness({ tasks: 2, steps: 2 });
    const [a, b] = [cluster.join("a"), cluster.join("b")];
    expect(announced(b)).toEqual(["1/1"]);
    cluster.drop(b);
    cluster.finish(a);
    expect(announced(a)).toEqual(["0/1", "1/0", "1/1"]);
  });

  it("end with the last step, and with a stop", () => {
    const cluster = new CoreHarness({ tasks: 1, steps: 2 });
    const a = cluster.join("a");
    cluster.answer(a);
    expect(announced(a)).toEqual(["1/0"]);
    const stopping = new CoreHarness({ tasks: 2, steps: 9 });
    const b = stopping.join("b");
    stopping.send({ type: "stop", reason: "SIGTERM" });
    stopping.finish(b);
    expect(announced(b)).toEqual(["0/1"]);
  });
});
