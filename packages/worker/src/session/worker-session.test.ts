import {
  type CoordinatorToWorker,
  configurationSchema,
  floatsToBytes,
  type GroupResult,
  type Lease,
  sha256Of,
  type Task,
  type TaskOutcome,
} from "@mzsr/shared";
import { describe, expect, it } from "vitest";
import { type WorkerEffect, type WorkerEvent, WorkerSession } from "./worker-session.js";

const HELLO = {
  protocolVersion: 1,
  worker: "w",
  incarnation: "w#1",
  backend: "simd",
  slots: 2,
  version: "0",
  host: "host",
  metricsAddress: "",
} as const;
const THETA = Float32Array.of(1, 2, 3);

function welcome(incarnation = "first", pipeline = 0): CoordinatorToWorker {
  const configuration = configurationSchema.parse({ cluster: { pipeline } });
  return { type: "welcome", run: "run", configuration, images: [], heartbeatSeconds: 1, incarnation };
}

function parameters(step: number): CoordinatorToWorker {
  return { type: "parameters", stage: "metaTraining", step, theta: THETA };
}

function assign(id: string, parametersStep = 0): CoordinatorToWorker {
  return { type: "assign", leases: [leaseOf(id, parametersStep, false)] };
}

function leaseOf(id: string, parametersStep: number, groupable: boolean): Lease {
  return { id, task: { step: parametersStep, parametersStep } as Task, groupable };
}

/** A few leases that results may be added up for. */
function assignGroup(ids: string, parametersStep = 0): CoordinatorToWorker {
  return { type: "assign", leases: [...ids].map((id) => leaseOf(id, parametersStep, true)) };
}

/** Tasks that are computed together, by the letters of their leases. */
const computed = (leases: string, step = 0): WorkerEvent => ({
  type: "computed",
  outcomes: [...leases].map((lease) => ({
    lease,
    outcome: { step, gradient: Float32Array.of(1, 2, lease.charCodeAt(0)) } as TaskOutcome,
  })),
});

const sent: WorkerEvent = { type: "sent" };

/** A session with a clock in the hand. */
class Harness {
  nowMs = 1_000_000;
  readonly session: WorkerSession;

  constructor(random: () => number = () => 0.5) {
    this.session = new WorkerSession({ hello: HELLO, random });
  }

  /** Effects in short: `send result`, `compute a`, `abandon a`, `exit`, … */
  feed(...events: WorkerEvent[]): string[] {
    return events.flatMap((event) => this.session.handle(event, this.nowMs).map(inShort));
  }

  /** Connected, welcomed and with the parameters of step 0. */
  static active(pipeline = 0): Harness {
    const harness = new Harness();
    harness.feed({ type: "tick" }, { type: "connected" }, welcome("first", pipeline), parameters(0));
    return harness;
  }

  wake(): string[] {
    this.nowMs = this.session.nextWakeMs()!;
    return this.feed({ type: "tick" });
  }
}

function inShort(effect: WorkerEffect): string {
  switch (effect.type) {
    case "send":
      return `send ${effect.message.type}`;
    case "sendResult": {
      const { message } = effect;
      return message.type === "result"
        ? `result ${message.lease}`
        : `group ${message.tasks.map(({ lease }) => lease).join("")}`;
    }
    case "compute":
    case "abandon":
      return `${effect.type} ${effect.lease}`;
    case "disconnected":
      return `disconnected ${effect.triesAgain ? "for now" : "for good"}: ${effect.reason}`;
    case "exit":
      return `exit ${effect.ok ? "ok" : "refused"}: ${effect.reason}`;
    default:
      return effect.type;
  }
}

describe("WorkerSession", () => {
  it("connects at once, introduces itself, computes and sends results", () => {
    const worker = new Harness();
    expect(worker.feed({ type: "tick" })).toEqual(["connect"]);
    expect(worker.feed({ type: "connected" })).toEqual(["connected", "send hello"]);
    expect(worker.feed(welcome(), parameters(0), assign("a"))).toEqual(["welcomed", "compute a"]);
    expect(worker.session.busySlots).toBe(1);
    expect(worker.feed(computed("a"))).toEqual(["result a"]);
    expect(worker.session.busySlots).toBe(0);
  });

  it("starts a task from the parameters that the task names", () => {
    const worker = Harness.active(1);
    const newer = Float32Array.of(4, 5, 6);
    worker.feed({ type: "parameters", stage: "metaTraining", step: 1, theta: newer });
    const [effect] = worker.session.handle(assign("a", 0), worker.nowMs);
    expect(effect).toMatchObject({ type: "compute", theta: THETA });
  });

  it("keeps as many parameters as pipelining asks for, and reports what it cannot start", () => {
    const worker = Harness.active(1);
    worker.feed(parameters(1), parameters(2));
    expect(worker.feed(assign("a", 1))).toEqual(["compute a"]);
    expect(worker.feed(assign("b", 0))).toEqual(["send failure"]);
  });

  it("prepares what is announced, without a word to the coordinator, unless it is leaving", () => {
    const worker = Harness.active();
    const announce = { type: "announce", tasks: [0, 1].map((index) => ({ step: 1, index }) as Task) } as const;
    expect(worker.feed(announce)).toEqual(["prepare", "prepare"]);
    expect(worker.session.busySlots).toBe(0);
    worker.feed(assign("a"), { type: "leaveRequested", reason: "SIGTERM" });
    expect(worker.feed(announce)).toEqual([]);
  });

  it("reports a task that could not be computed", () => {
    const worker = Harness.active();
    worker.feed(assign("a"));
    expect(worker.feed({ type: "computeFailed", lease: "a", reason: "out of memory" })).toEqual(["send failure"]);
  });

  it("gives up cancelled tasks, and does not send what they give after all", () => {
    const worker = Harness.active();
    worker.feed(assign("a"));
    expect(worker.feed({ type: "cancel", leases: ["a", "unknown"] })).toEqual(["abandon a"]);
    expect(worker.feed(computed("a"))).toEqual([]);
  });

  it("sends a heartbeat when it has said nothing for a period", () => {
    const worker = Harness.active();
    worker.feed(assign("a"));
    const start = worker.nowMs;
    expect(worker.wake()).toEqual(["send heartbeat"]);
    expect(worker.nowMs).toBe(start + 1000);
    worker.nowMs += 600;
    worker.feed(computed("a"));
    expect(worker.session.nextWakeMs()).toBe(worker.nowMs + 1000);
  });
});

describe("a lost stream", () => {
  it("voids its leases: what is computed for them is abandoned and never sent", () => {
    const worker = Harness.active();
    worker.feed(assign("a"), assign("b"));
    const lost = ["disconnected for now: reset", "abandon a", "abandon b"];
    expect(worker.feed({ type: "disconnected", reason: "reset" })).toEqual(lost);
    worker.wake();
    worker.feed({ type: "connected" }, welcome("second"));
    expect(worker.feed(computed("a"))).toEqual([]);
    expect(worker.feed(assign("c"))).toEqual(["send failure"]);
    expect(worker.session.connections).toBe(2);
  });

  it("is followed by new attempts after jittered waits that grow up to two seconds", () => {
    const random = [0.5, 0.5, 0.5, 0.999, 0.5, 0.5, 0.5];
    const worker = new Harness(() => random.shift()!);
    worker.feed({ type: "tick" });
    const waits = Array.from({ length: 7 }, () => {
      worker.feed({ type: "disconnected", reason: "connection refused" });
      const before = worker.nowMs;
      const wake = worker.session.nextWakeMs()!;
      worker.wake();
      return wake - before;
    });
    expect(waits.map((ms) => Math.round(ms))).toEqual([100, 200, 400, 1598, 1000, 1000, 1000]);
  });

  it("has the waits begin small again after a welcome", () => {
    const worker = new Harness();
    worker.feed({ type: "tick" });
    for (let i = 0; i < 6; i++) {
      worker.feed({ type: "disconnected", reason: "connection refused" });
      worker.wake();
    }
    worker.feed({ type: "connected" }, welcome(), { type: "disconnected", reason: "reset" });
    expect(worker.session.nextWakeMs()).toBe(worker.nowMs + 100);
  });

  it("is noticed when a coordinator accepts but does not answer", () => {
    const worker = new Harness();
    worker.feed({ type: "tick" }, { type: "connected" });
    expect(worker.session.nextWakeMs()).toBe(worker.nowMs + 10_000);
    expect(worker.wake()).toEqual(["closeStream"]);
    expect(worker.session.state).toBe("waiting");
  });
});

describe("a coordinator that sends a worker away", () => {
  it("for now is asked again later", () => {
    const worker = new Harness();
    worker.feed({ type: "tick" }, { type: "connected" });
    const refused = ["disconnected for now: refused: quarantined", "closeStream"];
    expect(worker.feed({ type: "refusal", reason: "quarantined", retry: true })).toEqual(refused);
    expect(worker.feed({ type: "disconnected", reason: "closed" })).toEqual([]);
    expect(worker.wake()).toEqual(["connect"]);
  });

  it("for good ends it with the reason", () => {
    const worker = new Harness();
    worker.feed({ type: "tick" }, { type: "connected" });
    const refusal = { type: "refusal", reason: "another backend", retry: false } as const;
    const said = "disconnected for good: refused: another backend";
    expect(worker.feed(refusal)).toEqual([said, "closeStream", "exit refused: another backend"]);
    expect(worker.feed({ type: "tick" }, { type: "connected" })).toEqual([]);
  });

  it("because it stops is waited for; because the run is over, left", () => {
    const stopped = Harness.active();
    stopped.feed(assign("a"));
    expect(stopped.feed({ type: "drain", reason: "SIGTERM", finished: false })).toEqual(["abandon a", "closeStream"]);
    expect(stopped.session.state).toBe("waiting");
    const finished = Harness.active();
    const done = { type: "drain", reason: "the run is finished", finished: true } as const;
    expect(finished.feed(done)).toEqual(["closeStream", "exit ok: the run is finished"]);
  });
});

describe("a worker that is asked to leave", () => {
  const leave = { type: "leaveRequested", reason: "SIGTERM" } as const;

  it("says goodbye, finishes what it computes, hands back what comes after, and goes", () => {
    const worker = Harness.active();
    worker.feed(assign("a"));
    expect(worker.feed(leave)).toEqual(["send goodbye"]);
    expect(worker.feed(assign("b"))).toEqual(["send failure"]);
    expect(worker.feed(computed("a"))).toEqual(["result a", "closeStream", "exit ok: SIGTERM"]);
  });

  it("goes at once when it computes nothing, or when asked again", () => {
    expect(Harness.active().feed(leave)).toEqual(["send goodbye", "closeStream", "exit ok: SIGTERM"]);
    const busy = Harness.active();
    busy.feed(assign("a"), leave);
    expect(busy.feed(leave)).toEqual(["abandon a", "closeStream", "exit ok: SIGTERM"]);
  });

  it("goes when its last task is cancelled or its stream is lost", () => {
    const cancelled = Harness.active();
    cancelled.feed(assign("a"), leave);
    expect(cancelled.feed({ type: "cancel", leases: ["a"] })).toEqual(["abandon a", "closeStream", "exit ok: SIGTERM"]);
    const lost = Harness.active();
    lost.feed(assign("a"), leave);
    const effects = ["disconnected for good: reset", "abandon a", "exit ok: SIGTERM; reset"];
    expect(lost.feed({ type: "disconnected", reason: "reset" })).toEqual(effects);
  });

  it("does not wait for a coordinator that is away", () => {
    const worker = new Harness();
    worker.feed({ type: "tick" }, { type: "disconnected", reason: "connection refused" });
    expect(worker.feed(leave)).toEqual(["exit ok: SIGTERM"]);
  });
});

describe("results", () => {
  it("go out one at a time: the next when the stream has taken the last", () => {
    const worker = Harness.active();
    worker.feed(assign("a"), assign("b"));
    expect(worker.feed(computed("a"))).toEqual(["result a"]);
    expect(worker.feed(computed("b"))).toEqual([]);
    expect(worker.session.busySlots).toBe(1);
    expect(worker.feed(sent)).toEqual(["result b"]);
    expect(worker.session.busySlots).toBe(0);
  });

  it("of tasks that were computed together are added up, from five on", () => {
    const worker = Harness.active();
    worker.feed(assignGroup("abcdefgh"));
    expect(worker.feed(computed("abcd"))).toEqual(["result a"]);
    expect(worker.feed(computed("efgh"))).toEqual([]);
    expect(worker.feed(sent)).toEqual(["group bcdefgh"]);
  });

  it("are a sum with each task's hash", () => {
    const worker = Harness.active();
    worker.feed(assignGroup("abcde"));
    const [effect] = worker.session.handle(computed("abcde"), worker.nowMs);
    expect(effect).toMatchObject({ type: "sendResult", message: { type: "group", sum: { count: 5 } } });
    const { tasks, sum } = (effect as Extract<WorkerEffect, { type: "sendResult" }>).message as GroupResult;
    expect(new Float64Array(sum.high.slice().buffer)).toEqual(Float64Array.of(5, 10, 97 + 98 + 99 + 100 + 101));
    expect(tasks[1]).toMatchObject({ lease: "b", sha256: sha256Of(floatsToBytes(Float32Array.of(1, 2, 98))) });
  });

  it("of other steps, and those that are wanted by themselves, are left out of a sum", () => {
    const worker = Harness.active(1);
    worker.feed(parameters(1), assignGroup("abcde"), assignGroup("vwxyz", 1), assign("q"));
    worker.feed(assign("p"), computed("p"));
    worker.feed(computed("qabcd"), computed("vwxyz", 1), computed("e"));
    expect(worker.feed(sent)).toEqual(["result q"]);
    expect(worker.feed(sent)).toEqual(["group abcde"]);
    expect(worker.feed(sent)).toEqual(["group vwxyz"]);
  });

  it("that nobody waits for any more are left out of a sum", () => {
    const worker = Harness.active();
    worker.feed(assign("p"), assignGroup("abcdef"), computed("p"), computed("abcdef"));
    expect(worker.feed({ type: "cancel", leases: ["c"] })).toEqual([]);
    expect(worker.feed(sent)).toEqual(["group abdef"]);
  });

  it("that cannot be in a sum are sent by themselves, for the coordinator to judge", () => {
    const worker = Harness.active();
    worker.feed(assignGroup("abcde"));
    const outcomes = [..."abcde"].map((lease) => ({
      lease,
      outcome: { step: 0, gradient: Float32Array.of(lease === "d" ? Number.NaN : 1) } as TaskOutcome,
    }));
    expect(worker.feed({ type: "computed", outcomes })).toEqual(["result a"]);
  });

  it("that wait are sent before a worker leaves, and forgotten with the stream", () => {
    const leaving = Harness.active();
    leaving.feed(assign("a"), assign("b"), computed("a"), { type: "leaveRequested", reason: "SIGTERM" });
    expect(leaving.feed(computed("b"))).toEqual([]);
    expect(leaving.feed(sent)).toEqual(["result b", "closeStream", "exit ok: SIGTERM"]);
    const cut = Harness.active();
    cut.feed(assign("a"), assign("b"), computed("a"), computed("b"), { type: "disconnected", reason: "cut" });
    cut.wake();
    cut.feed({ type: "connected" }, welcome("second"), parameters(0), assign("c"));
    expect(cut.feed(computed("c"))).toEqual(["result c"]);
  });
});
