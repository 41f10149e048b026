import {
  configurationSchema,
  type GroupResult,
  GroupSums,
  type Lease,
  type RunEvent,
  resultOf,
  type StepSummary,
  type Task,
  type TaskOutcome,
  type TaskReport,
} from "@mzsr/shared";
import { CoordinatorCore, type CoreOptions } from "../core/coordinator-core.js";
import type { CoordinatorEffect, CoordinatorEvent, WorkerHello } from "../core/events.js";
import { RunSchedule } from "../core/schedule.js";
import { initialTrainingState, type TrainingState } from "../core/training-state.js";
import { handledInReusedMemory } from "./reused-bytes.js";

export const SIZE = 3;

export const LAYOUT = { entries: [{ name: "conv1/kernel", shape: [SIZE], offset: 0, size: SIZE }], size: SIZE };

export interface HarnessOptions {
  readonly pretrainingSteps?: number;
  readonly steps?: number;
  readonly tasks?: number;
  readonly cluster?: Readonly<Record<string, unknown>>;
  readonly backend?: string;
  readonly checkpointEvery?: number;
  readonly state?: TrainingState;
  readonly scheduler?: CoreOptions["scheduler"];
  readonly drawTask?: CoreOptions["drawTask"];
  /** Unlike that of the life before. */
  readonly incarnation?: string;
}

/** A worker that joined: `leases` are the current ones that it has been told of. */
export interface JoinedWorker {
  readonly name: string;
  readonly incarnation: string;
  readonly session: string;
  readonly leases: Lease[];
  /** Effects that were meant for its session, in order. */
  readonly received: CoordinatorEffect[];
}

/** A core with a clock in the hand: workers are names, and messages arrive when the test says so. */
export class CoreHarness {
  readonly core: CoordinatorCore;
  readonly effects: CoordinatorEffect[] = [];
  readonly #workers = new Map<string, JoinedWorker>();
  #sessions = 0;
  nowMs = 1_000_000;

  constructor({ pretrainingSteps = 0, steps = 2, tasks = 2, cluster = {}, ...options }: HarnessOptions = {}) {
    const { pretraining, metaTraining, ...others } = configurationSchema.parse({
      backend: options.backend ?? "auto",
      pretraining: { steps: pretrainingSteps },
      metaTraining: { steps, innerSteps: 1 },
      cluster: { patience: 5, auditShare: 0, ...cluster },
      checkpoints: { every: options.checkpointEvery ?? 100 },
    });
    // The core has no limit to the number of tasks; configurations do.
    const configuration = {
      ...others,
      pretraining: { ...pretraining, tasks },
      metaTraining: { ...metaTraining, tasks },
    };
    const schedule = new RunSchedule(configuration);
    this.core = new CoordinatorCore({
      run: "test",
      configuration,
      state: options.state ?? initialTrainingState(Float32Array.of(1, 2, 3)),
      drawTask: options.drawTask ?? ((step, index) => smallTask(schedule, step, index)),
      layout: LAYOUT,
      incarnation: options.incarnation ?? "incarnation",
      ...(options.scheduler && { scheduler: options.scheduler }),
    });
  }

  /** Hands an event to the core and its effects to whom they concern. */
  send(event: CoordinatorEvent): CoordinatorEffect[] {
    const effects = handledInReusedMemory(event, (reused) => this.core.handle(reused, this.nowMs));
    this.effects.push(...effects);
    for (const effect of effects) this.#route(effect);
    return effects;
  }

  join(name: string, hello: Partial<WorkerHello> = {}): JoinedWorker {
    const session = `session-${++this.#sessions}`;
    const whole = helloOf(name, hello);
    const worker: JoinedWorker = { name, incarnation: whole.incarnation, session, leases: [], received: [] };
    this.#workers.set(session, worker);
    this.send({ type: "join", session, hello: whole });
    return worker;
  }

  /** Lets time pass with the heartbeats of `alive`, waking the core when it asks to be. */
  pass(seconds: number, alive: readonly JoinedWorker[] = []): void {
    const untilMs = this.nowMs + seconds * 1000;
    while (this.nowMs < untilMs) {
      const nextSecondMs = Math.floor(this.nowMs / 1000) * 1000 + 1000;
      this.nowMs = Math.min(untilMs, nextSecondMs, this.core.nextWakeMs(this.nowMs) ?? untilMs);
      if (this.nowMs % 1000 === 0) {
        for (const { name, incarnation } of alive) {
          this.send({ type: "heartbeat", worker: name, incarnation, via: "nats", busySlots: 0 });
        }
      }
      this.send({ type: "tick" });
    }
  }

  /** The worker answers its oldest lease, or the given one. Returns the lease. */
  answer(worker: JoinedWorker, change: Partial<TaskOutcome> = {}, lease = worker.leases[0]!): Lease {
    forget(worker, lease.id);
    const outcome = { ...smallOutcome(lease.task), ...change };
    this.send({ type: "result", session: worker.session, result: resultOf({ lease: lease.id, outcome }) });
    return lease;
  }

  /** The worker answers some of its leases at once, as their sum. */
  answerGroup(worker: JoinedWorker, leases: readonly Lease[], change: Partial<TaskOutcome> = {}): void {
    const group = groupOf(leases, change);
    for (const { id } of leases) forget(worker, id);
    this.send({ type: "group", session: worker.session, group });
  }

  /** Workers answer what they have until no leases are left. */
  finish(...workers: readonly JoinedWorker[]): void {
    for (let busy = workers.find(({ leases }) => leases.length > 0); busy; ) {
      this.answer(busy);
      busy = workers.find(({ leases }) => leases.length > 0);
    }
  }

  fail(worker: JoinedWorker, reason: string): void {
    const lease = worker.leases.shift()!;
    this.send({ type: "failure", session: worker.session, lease: lease.id, reason });
  }

  drop(worker: JoinedWorker, reason = "cable cut"): void {
    worker.leases.length = 0;
    this.send({ type: "disconnected", session: worker.session, reason });
  }

  worker(name: string) {
    return this.core.status(this.nowMs).workers.find(({ worker }) => worker === name);
  }

  events(kind?: RunEvent["kind"]): RunEvent[] {
    const all = this.effects.flatMap((effect) => (effect.type === "event" ? [effect.event] : []));
    return kind === undefined ? all : all.filter((event) => event.kind === kind);
  }

  get steps(): StepSummary[] {
    return this.effects.flatMap((effect) => (effect.type === "step" ? [effect.summary] : []));
  }

  /** Ends of leases as `worker outcome`. */
  get ends(): string[] {
    return this.effects.flatMap((each) => (each.type === "taskEnded" ? [`${each.worker} ${each.outcome}`] : []));
  }

  get audits(): string[] {
    return this.effects.flatMap((effect) => (effect.type === "audit" ? [effect.result] : []));
  }

  #route(effect: CoordinatorEffect): void {
    if (!("session" in effect)) return;
    const worker = this.#workers.get(effect.session)!;
    worker.received.push(effect);
    if (effect.type === "assign") worker.leases.push(...effect.leases);
    if (effect.type === "cancel") for (const id of effect.leases) forget(worker, id);
    if (effect.type === "disconnect") worker.leases.length = 0;
  }
}

export function placeOf({ task }: Lease): string {
  return `${task.step}/${task.index}`;
}

export function smallTask(schedule: RunSchedule, step: number, index: number): Task {
  return {
    stage: schedule.stageOf(step),
    step,
    index,
    parametersStep: schedule.parametersStepOf(step),
    scale: 2,
    downsampling: "direct",
    noiseSigma: 0,
    noiseSeed: 0,
    patchSize: 16,
    supportFrom: "high",
    support: [],
    query: [],
    kernels: [],
    stepWeights: [...schedule.stepWeights(step)],
  };
}

export function groupOf(leases: readonly Lease[], change: Partial<TaskOutcome> = {}): GroupResult {
  const outcomes = leases.map(({ id, task }) => ({ lease: id, outcome: { ...smallOutcome(task), ...change } }));
  return new GroupSums().add(outcomes)!;
}

/** Near Adam's ε, so that θ shows a mean's size and not only its sign. */
const TINY = 2 ** -27;

export function smallOutcome(task: Pick<Task, "stage" | "step" | "index">): TaskOutcome {
  const gradient = Float32Array.of(task.step + 1, task.index - 1, 0.5).map((value) => TINY * value);
  return { ...smallReport(task), gradient };
}

export function smallReport({ stage, step, index }: Pick<Task, "stage" | "step" | "index">): TaskReport {
  return {
    stage,
    step,
    index,
    supportLosses: [0.5],
    queryLosses: stage === "pretraining" ? [] : [0.4, 0.3],
    dataSeconds: 0.1,
    computeSeconds: 1,
  };
}

function helloOf(worker: string, hello: Partial<WorkerHello>): WorkerHello {
  return {
    worker,
    incarnation: `${worker}#1`,
    backend: "simd",
    slots: 1,
    host: "host",
    version: "0",
    metricsAddress: "",
    ...hello,
  };
}

function forget(worker: JoinedWorker, id: string): void {
  const at = worker.leases.findIndex((lease) => lease.id === id);
  if (at >= 0) worker.leases.splice(at, 1);
}
