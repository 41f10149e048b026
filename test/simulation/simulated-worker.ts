import type { Configuration, CoordinatorToWorker, Task } from "@mzsr/shared";
import { type WorkerEffect, type WorkerEvent, WorkerSession } from "@mzsr/worker";
import type { Clock } from "./clock.js";
import { type Ending, endingOf, malformedGroup } from "./misbehaviour.js";
import type { Network, Stream, StreamEnd } from "./network.js";
import { Process } from "./process.js";
import type { Random } from "./random.js";
import type { Referee } from "./referee.js";
import { type Scenario, SLOWDOWN, SLOWNESS, type WorkerPlan } from "./scenario.js";
import type { SimulatedCoordinator } from "./simulated-coordinator.js";
import { toyOutcome } from "./toy-problem.js";
import type { Trace } from "./trace.js";

const HEARTBEAT_MS = 1000;

export interface WorkerSurroundings {
  readonly scenario: Scenario;
  readonly configuration: Configuration;
  readonly clock: Clock;
  readonly network: Network;
  readonly random: Random;
  readonly referee: Referee;
  readonly trace: Trace;
}

/** A task in the compute pool. */
interface Job {
  readonly lease: string;
  readonly task: Task;
  readonly theta: Float32Array;
  abandoned: boolean;
}

/** One process of a worker: the session in the thinnest shell that can carry out its effects. */
export class SimulatedWorker {
  readonly process = new Process();
  readonly plan: WorkerPlan;
  readonly #around: WorkerSurroundings;
  readonly #session: WorkerSession;
  readonly #jobs = new Map<string, Job>();
  readonly #leasesOfStream = new Set<string>();
  /** Tasks that wait for a thread which still finishes an abandoned one. */
  readonly #queue: Job[] = [];
  #freeThreads: number;
  #stream: Stream | undefined;
  #left: (() => void) | undefined;
  #attempts = 0;
  #slowUntilMs = Number.NEGATIVE_INFINITY;
  readonly #incarnation: string;
  #nextTickMs = Number.POSITIVE_INFINITY;
  exit: { readonly reason: string; readonly ok: boolean } | undefined;

  constructor(plan: WorkerPlan, around: WorkerSurroundings, life: number) {
    this.plan = plan;
    this.#around = around;
    this.#freeThreads = plan.slots;
    this.#incarnation = `${plan.name}#${life}`;
    const hello = {
      protocolVersion: 1,
      worker: plan.name,
      incarnation: this.#incarnation,
      backend: plan.character === "foreign" ? ("cpu" as const) : ("simd" as const),
      slots: plan.slots,
      version: "0",
      host: "simulated",
      metricsAddress: "",
    };
    this.#session = new WorkerSession({ hello, random: around.random.unit, groupFrom: 2 });
    this.#handle({ type: "tick" });
    this.#heartbeat();
  }

  slowDown(forMs: number): void {
    this.#slowUntilMs = this.#around.clock.nowMs + forMs;
  }

  /** SIGTERM; `left` is called when it has gone. */
  leave(left: () => void): void {
    this.#left = left;
    this.process.deliver(() => this.#handle({ type: "leaveRequested", reason: "asked to" }));
  }

  #handle(event: WorkerEvent): void {
    const { clock, trace } = this.#around;
    const effects = this.#session.handle(event, clock.nowMs);
    trace.worker(this.plan.name, event, effects);
    for (const effect of effects) this.#carryOut(effect);
    const { busySlots } = this.#session;
    this.#around.referee.expect(
      busySlots <= this.plan.slots,
      `${this.plan.name} computes ${busySlots} tasks at a time`,
    );
    this.#setTimer();
  }

  #carryOut(effect: WorkerEffect): void {
    switch (effect.type) {
      case "connect":
        this.#connect();
        break;
      case "send":
        this.#checkMessage(effect);
        this.#stream?.sendUp(effect.message);
        break;
      case "sendResult":
        this.#sendResult(effect);
        break;
      case "compute":
        this.#compute({ lease: effect.lease, task: effect.task, theta: effect.theta, abandoned: false });
        break;
      case "abandon":
        this.#abandon(effect.lease);
        break;
      case "closeStream":
        this.#attempts++;
        this.#stream?.closeByWorker();
        this.#stream = undefined;
        break;
      case "exit":
        this.exit = effect;
        this.process.kill();
        this.#left?.();
        break;
    }
  }

  /** The stream may take its time; what is computed meanwhile is added up. */
  #sendResult({ message }: WorkerEffect & { type: "sendResult" }): void {
    const { name, character } = this.plan;
    const { scenario, clock, random, referee } = this.#around;
    const leases = message.type === "result" ? [message.lease] : message.tasks.map(({ lease }) => lease);
    for (const lease of leases) {
      referee.expect(
        this.#leasesOfStream.has(lease),
        `${name} sends a result for ${lease}, which another stream brought`,
      );
    }
    if (message.type === "group") referee.groupSent();
    const garbles = message.type === "group" && (character === "garbling" || character === "malformed");
    this.#stream?.sendUp(garbles && random.chance(0.4) ? malformedGroup(message, random) : message);
    const attempt = this.#attempts;
    clock.after(random.uniform(0, scenario.sendMs), () =>
      this.process.deliver(() => {
        if (attempt === this.#attempts) this.#handle({ type: "sent" });
      }),
    );
  }

  #checkMessage({ message }: WorkerEffect & { type: "send" }): void {
    const { name, character } = this.plan;
    if (message.type === "failure" && character !== "failing" && character !== "refusing") {
      const leaving = message.reason === "the worker is leaving";
      this.#around.referee.expect(leaving, `${name} was asked for what it cannot do: ${message.reason}`);
    }
  }

  #connect(): void {
    this.#leasesOfStream.clear();
    const attempt = ++this.#attempts;
    const current = () => attempt === this.#attempts;
    const end: StreamEnd<CoordinatorToWorker> = {
      process: this.process,
      receive: (message) => {
        if (current()) this.#handle(message);
      },
      closed: (reason) => {
        if (!current()) return;
        this.#stream = undefined;
        this.#handle({ type: "disconnected", reason });
      },
    };
    this.#around.network.connect(this.plan.name, end, (stream) => {
      if (!current()) return;
      this.#stream = stream;
      this.#handle({ type: "connected" });
    });
  }

  #compute(job: Job): void {
    this.#around.referee.computeBegins(job.task, job.theta);
    this.#jobs.set(job.lease, job);
    this.#leasesOfStream.add(job.lease);
    if (this.#freeThreads > 0) this.#start(job);
    else this.#queue.push(job);
  }

  #start(job: Job): void {
    const { scenario, configuration, clock, random } = this.#around;
    this.#freeThreads--;
    const ending = endingOf(this.plan, toyOutcome(configuration, job.task, job.theta), random);
    if (ending === "never") return;
    const slowed = this.#slowUntilMs > clock.nowMs ? SLOWDOWN : 1;
    const slowness = this.plan.character === "slow" ? SLOWNESS.slow! : slowed;
    const ms = scenario.taskMs * random.uniform(0.7, 1.3) * slowness;
    clock.after(ms, () => this.process.deliver(() => this.#done(job, ending)));
  }

  /** A pool that cannot end a thread reports an abandoned task too; the session has to ignore it. */
  #done(job: Job, ending: Exclude<Ending, "never">): void {
    if (job.abandoned && this.#around.scenario.abandonedTasks === "end") return;
    this.#jobs.delete(job.lease);
    this.#threadFree();
    if ("failure" in ending) this.#handle({ type: "computeFailed", lease: job.lease, reason: ending.failure });
    else this.#handle({ type: "computed", outcomes: [{ lease: job.lease, outcome: ending.outcome }] });
  }

  #abandon(lease: string): void {
    const job = this.#jobs.get(lease);
    if (!job) return;
    job.abandoned = true;
    this.#jobs.delete(lease);
    const waiting = this.#queue.indexOf(job);
    if (waiting >= 0) this.#queue.splice(waiting, 1);
    else if (this.#around.scenario.abandonedTasks === "end") this.#threadFree();
  }

  #threadFree(): void {
    this.#freeThreads++;
    const next = this.#queue.shift();
    if (next) this.#start(next);
  }

  #heartbeat(): void {
    const { clock, network } = this.#around;
    if (!this.process.alive) return;
    const { busySlots } = this.#session;
    network.datagram(this.plan.name, (listener) => {
      (listener as SimulatedCoordinator).heartbeat(this.plan.name, this.#incarnation, busySlots);
    });
    clock.after(HEARTBEAT_MS, () => this.process.deliver(() => this.#heartbeat()));
  }

  #setTimer(): void {
    const { clock } = this.#around;
    const wakeMs = this.#session.nextWakeMs();
    if (wakeMs === undefined || wakeMs === this.#nextTickMs) return;
    this.#nextTickMs = wakeMs;
    clock.at(wakeMs, () =>
      this.process.deliver(() => {
        if (this.#nextTickMs !== wakeMs) return;
        this.#nextTickMs = Number.POSITIVE_INFINITY;
        this.#handle({ type: "tick" });
      }),
    );
  }
}
