import type { Task } from "@mzsr/shared";
import { describe, expect, it } from "vitest";
import { type DispatchView, dispatch, LEASE_KIND } from "./dispatch.js";
import type { WorkerHello } from "./events.js";
import { TaskBoard } from "./leases.js";
import { type Member, Membership } from "./membership.js";
import { Scheduler } from "./scheduler.js";
import { TaskTimes } from "./task-times.js";

const NOW_MS = 1_000_000;

/** A board with one open step, and workers by name with their slots. */
class Situation {
  readonly membership = new Membership(5);
  readonly times = { pretraining: new TaskTimes(5), metaTraining: new TaskTimes(5) };
  readonly board = new TaskBoard({ idPrefix: "", times: this.times, lapsedTrials: () => 0 });
  readonly scheduler = new Scheduler(this);

  constructor(tasks: number, workers: Readonly<Record<string, number>>, audited: readonly number[] = []) {
    const drawn = Array.from({ length: tasks }, (_, index) => ({
      task: { stage: "metaTraining", step: 0, index } as Task,
      audited: audited.includes(index),
    }));
    this.board.open(0, () => drawn);
    for (const [worker, slots] of Object.entries(workers)) {
      this.membership.join(worker, { worker, incarnation: worker, backend: "simd", slots } as WorkerHello, NOW_MS);
    }
  }

  member(worker: string): Member {
    return this.membership.byName(worker)!;
  }

  /** Grants as `worker task reason`, which are carried out. */
  dispatch(nowMs = NOW_MS): string[] {
    return this.scheduler.dispatch(nowMs).map((grant) => {
      const { entry, member, reason } = grant;
      const { worker, session, hello } = member;
      const kind = LEASE_KIND[reason];
      this.board.grant({ entry, worker, session: session!, backend: hello.backend, kind, groupable: false }, nowMs);
      this.scheduler.granted(grant);
      return `${worker} ${entry.task.index} ${reason}`;
    });
  }
}

describe("dispatch", () => {
  it("gives the next tasks to whoever has most free slots, and says why", () => {
    expect(new Situation(5, { a: 1, b: 3 }).dispatch()).toEqual(["b 0 next", "b 1 next", "a 2 next", "b 3 next"]);
  });

  it("changes nothing by itself: asked twice, it answers the same", () => {
    const { scheduler, board } = new Situation(3, { a: 2, b: 2 }, [1]);
    expect(scheduler.dispatch(NOW_MS)).toEqual(scheduler.dispatch(NOW_MS));
    expect([...board.leases]).toEqual([]);
  });

  it("gives an audited task to a second worker at once, when nothing else is left in the step", () => {
    expect(new Situation(2, { a: 2, b: 2 }, [1]).dispatch()).toEqual(["a 0 next", "b 1 next", "a 1 audit"]);
  });

  it("gives a task to the worker that was told of it, though another one has more slots", () => {
    const situation = new Situation(2, { a: 1 });
    situation.dispatch();
    situation.scheduler.announce(() => undefined);
    situation.membership.join("b", { ...situation.member("a").hello, worker: "b", slots: 2 }, NOW_MS);
    const [lease] = situation.board.leasesOf("a");
    situation.board.end(lease!);
    expect(situation.dispatch()).toEqual(["a 1 announced", "b 0 next"]);
  });

  it("gives a slow task to a second worker that is idle, the one that has been computed for longest first", () => {
    const situation = new Situation(2, { a: 1 });
    situation.dispatch();
    situation.membership.join("b", { ...situation.member("a").hello, worker: "b" }, NOW_MS);
    situation.dispatch(NOW_MS + 1);
    situation.membership.join("c", { ...situation.member("a").hello, worker: "c" }, NOW_MS);
    expect(situation.dispatch(NOW_MS + 4999)).toEqual([]);
    expect(situation.dispatch(NOW_MS + 5001)).toEqual(["c 0 slow"]);
  });

  it("gives nothing where nobody is there", () => {
    const view: DispatchView = {
      steps: new Situation(2, {}).board.steps,
      slots: { groups: [], freeWorkers: 0, freeSlotsOf: () => 0 },
      membership: new Membership(5),
      announcedTo: () => [],
      slow: [],
      idleOnTrial: [],
    };
    expect(dispatch(view)).toEqual([]);
  });
});
