import { type CoordinatorToWorker, configurationSchema, type Task, type TaskOutcome } from "@mzsr/shared";
import { describe, expect, it } from "vitest";
import { type WorkerEffect, type WorkerEvent, WorkerSession } from "./worker-session.js";

const HELLO = {
  protocolVersion: 1,
  worker: "w",
  incarnation: "w#1",
  token: "",
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
  return { type: "assign", leases: [{ id, task: { step: parametersStep, parametersStep } as Task }] };
}

const computed = (lease: string): WorkerEvent => ({ type: "computed", lease, outcome: {} as TaskOutcome });

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
    expect(worker.feed(computed("a"))).toEqual(["send result"]);
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
    expect(worker.feed(computed("a"))).toEqual(["send result", "closeStream", "exit ok: SIGTERM"]);
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
