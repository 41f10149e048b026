import type { ParameterLayout } from "@mzsr/mzsr";
import type { ClusterStatus, Configuration, RunPhase, Task } from "@mzsr/shared";
import { validateWorker } from "./admission.js";
import { Auditor } from "./auditor.js";
import { type Grant, LEASE_KIND } from "./dispatch.js";
import type { CoordinatorEffect, CoordinatorEvent, SessionId, WorkerHello } from "./events.js";
import { GradientSums } from "./gradient-sums.js";
import { type GrantedLease, TaskBoard } from "./leases.js";
import { HEARTBEAT_SECONDS, type Member, Membership } from "./membership.js";
import { Progress } from "./progress.js";
import { Results } from "./results.js";
import { RunSchedule } from "./schedule.js";
import { Scheduler, type SchedulerParts } from "./scheduler.js";
import { clusterStatus } from "./status.js";
import { Steps } from "./steps.js";
import { type StageTimes, TaskTimes } from "./task-times.js";
import { Trainer } from "./trainer.js";
import type { TrainingState } from "./training-state.js";
import { Transitions } from "./transitions.js";

/** While workers are connected the core wants to be woken at least this often; longer gaps are its own absence. */
const LONGEST_SLEEP_MS = HEARTBEAT_SECONDS * 1000;

export interface CoreOptions {
  readonly run: string;
  readonly configuration: Configuration;
  /** Where training starts or goes on. */
  readonly state: TrainingState;
  /** Task `index` of `step`: a pure function. */
  readonly drawTask: (step: number, index: number) => Task;
  readonly layout: ParameterLayout;
  /** Names this life of the coordinator; part of every lease id. */
  readonly incarnation: string;
  /** Makes the part that decides what is given to whom: for tests that watch it. */
  readonly scheduler?: (parts: SchedulerParts) => Scheduler;
}

interface JoinRefusal {
  readonly reason: string;
  readonly retry: boolean;
  /** Worth a line in the event log. */
  readonly tell: boolean;
}

/**
 * The coordinator without sockets, clocks and files: events go in with the time, effects come out, to be carried out in
 * order. Given the same events it makes the same decisions.
 *
 * Times are milliseconds since 1970 on one clock; a clock that steps back is taken to stand still. Call `handle` with
 * a tick when `nextWakeMs` says so.
 *
 * Which worker computes what, and when, is decided here and never enters θ: tasks are drawn from (seed, step, index),
 * their results are held by index, and a step is reduced when all of its results are there.
 */
export class CoordinatorCore {
  readonly #options: CoreOptions;
  readonly #schedule: RunSchedule;
  readonly #trainer: Trainer;
  readonly #membership: Membership;
  readonly #board: TaskBoard;
  readonly #times: StageTimes;
  readonly #scheduler: Scheduler;
  readonly #steps: Steps;
  readonly #progress = new Progress();
  readonly #transitions: Transitions;
  readonly #audits: Auditor;
  readonly #results: Results;
  #nowMs: number | undefined;
  /** Time alone changes nothing before: as nextWakeMs said when it was asked after the newest event. */
  #quietUntilMs = Number.NEGATIVE_INFINITY;
  /** Set by a stop: the last step that may still be finished. */
  #stop: { readonly reason: string; readonly lastStep: number } | undefined;
  #over = false;

  /** @throws InputError when the state does not fit the configuration */
  constructor(options: CoreOptions) {
    const { configuration, layout, state, incarnation } = options;
    const { patience, pipeline, maxGradientNorm } = configuration.cluster;
    this.#options = options;
    this.#schedule = new RunSchedule(configuration);
    this.#trainer = new Trainer(this.#schedule, layout, state);
    if (configuration.backend !== "auto") this.#trainer.fixBackend(configuration.backend);
    this.#membership = new Membership(patience);
    const times = { pretraining: new TaskTimes(patience), metaTraining: new TaskTimes(patience) };
    this.#times = times;
    this.#board = new TaskBoard({
      idPrefix: `${incarnation}.`,
      times,
      lapsedTrials: (session) => this.#membership.bySession(session)?.recentOutcomes.lapsedTrials ?? 0,
    });
    this.#transitions = new Transitions(this.#board, this.#membership, this.#progress, times);
    const parts = {
      board: this.#board,
      membership: this.#membership,
      transitions: this.#transitions,
      times,
      sums: new GradientSums(layout.size, pipeline + 1, maxGradientNorm),
      configuration,
      schedule: this.#schedule,
      progress: this.#progress,
    };
    this.#scheduler = options.scheduler?.(parts) ?? new Scheduler(parts);
    this.#audits = new Auditor({ ...parts, patienceMs: patience * 1000 });
    this.#results = new Results(parts);
    this.#steps = new Steps({ ...parts, drawTask: options.drawTask, trainer: this.#trainer });
  }

  /** The run has ended: nothing will happen any more but refusals. */
  get over(): boolean {
    return this.#over;
  }

  /** Takes in one event and everything that the passing of time means. Returns what is to be done, in order. */
  handle(event: CoordinatorEvent, nowMs: number): CoordinatorEffect[] {
    const now = this.#advanceClock(nowMs);
    // Most events of a large cluster: they move the moment of a worker's silence and nothing else.
    if (event.type === "heartbeat" && now < this.#quietUntilMs) {
      this.#heartbeat(event.worker, event.incarnation, now);
      this.#audits.notePeers(now);
      return [];
    }
    this.#quietUntilMs = Number.NEGATIVE_INFINITY;
    this.#reinstate(now);
    this.#take(event, now);
    if (!this.#over) this.#decide(now);
    return this.#transitions.takeEffects();
  }

  /** When to call `handle` with a tick at the latest, on the same clock; `undefined` when only events matter. */
  nextWakeMs(nowMs: number): number | undefined {
    if (this.#over) return undefined;
    if (nowMs < this.#quietUntilMs) return this.#quietUntilMs;
    const next = Math.min(
      this.#membership.connectedCount > 0 ? nowMs + LONGEST_SLEEP_MS : Number.POSITIVE_INFINITY,
      this.#membership.attentionMs(nowMs),
      this.#scheduler.nextMs(nowMs),
      this.#audits.nextMs(nowMs),
    );
    if (!Number.isFinite(next)) return undefined;
    this.#quietUntilMs = next;
    return next;
  }

  status(nowMs: number): ClusterStatus {
    return clusterStatus({
      run: this.#options.run,
      phase: this.#phase,
      schedule: this.#schedule,
      state: this.#trainer,
      membership: this.#membership,
      board: this.#board,
      progress: this.#progress,
      nowMs,
    });
  }

  /**
   * θ before `step`: what a `parameters` effect of the newest `handle` asks for.
   * @throws RangeError when no task starts from there any more
   */
  parametersBefore(step: number): Float32Array {
    return this.#trainer.parametersBefore(step);
  }

  /** The state after the newest finished step. */
  snapshot(): TrainingState {
    return this.#trainer.snapshot();
  }

  // Events

  #take(event: CoordinatorEvent, now: number): void {
    switch (event.type) {
      case "join":
        this.#join(event.session, event.hello, now);
        break;
      case "disconnected":
        this.#streamGone(event.session, event.reason, now);
        break;
      case "goodbye":
        this.#goodbye(event.session, event.reason, now);
        break;
      case "heartbeat":
        this.#heartbeat(event.worker, event.incarnation, now);
        break;
      case "result":
        this.#heardFrom(event.session, now);
        this.#results.result(event.session, event.result, now);
        break;
      case "group":
        this.#heardFrom(event.session, now);
        this.#results.group(event.session, event.group, now);
        break;
      case "failure":
        this.#heardFrom(event.session, now);
        this.#results.failed(event.session, event.lease, event.reason, now);
        break;
      case "stop":
        this.#stopAsked(event.reason, now);
        break;
      case "tick":
        break;
    }
  }

  #join(session: SessionId, hello: WorkerHello, now: number): void {
    if (this.#over && this.#trainer.step === this.#schedule.totalSteps) {
      this.#transitions.effect({ type: "drain", session, reason: "the run is finished", finished: true });
      return;
    }
    const refusal = this.#validateJoin(hello);
    if (refusal) this.#refuseWorker(session, hello, refusal);
    else this.#admit(session, hello, now);
  }

  #validateJoin(hello: WorkerHello): JoinRefusal | undefined {
    if (this.#over) return { reason: "the coordinator has stopped", retry: true, tell: false };
    if (this.#stop) return { reason: "the coordinator is stopping", retry: true, tell: false };
    const mixed = this.#options.configuration.cluster.mixedBackends;
    const unfit = validateWorker(hello, { backend: this.#trainer.backend, mixed });
    return unfit === undefined ? undefined : { reason: unfit, retry: false, tell: true };
  }

  #refuseWorker(session: SessionId, { worker }: WorkerHello, { reason, retry, tell }: JoinRefusal): void {
    this.#transitions.effect({ type: "refuse", session, reason, retry });
    if (tell) this.#transitions.record({ kind: "refusal", worker, reason });
  }

  #admit(session: SessionId, hello: WorkerHello, now: number): void {
    const decision = this.#membership.join(session, hello, now);
    if (!decision.joined) {
      this.#refuseWorker(session, hello, { reason: decision.reason, retry: true, tell: decision.firstTime });
      return;
    }
    if (decision.replacedSession !== undefined) this.#dropReplaced(decision.replacedSession, now);
    const settles = this.#trainer.backend === undefined;
    if (settles) this.#trainer.fixBackend(hello.backend);
    this.#transitions.effect({ type: "welcome", session });
    const offer = `${hello.slots} ${hello.slots === 1 ? "slot" : "slots"} on ${hello.backend}`;
    const reason = settles ? `${offer}, which settles the run's backend` : offer;
    this.#transitions.record({ kind: "join", worker: hello.worker, reason });
    const { member } = decision;
    if (member.recentOutcomes.trial !== undefined) {
      this.#transitions.record({ kind: "trial", worker: hello.worker, reason: member.reason });
    }
  }

  #dropReplaced(session: SessionId, now: number): void {
    this.#transitions.releaseAll(session, "its worker opened a newer session", now);
    this.#transitions.effect({
      type: "disconnect",
      session,
      reason: "replaced by a newer session of the same worker name",
    });
  }

  #streamGone(session: SessionId, reason: string, now: number): void {
    const member = this.#membership.bySession(session);
    if (!member) return;
    if (member.state !== "draining") {
      this.#transitions.releaseAll(session, `its worker's stream closed: ${reason}`, now);
      this.#transitions.loseWorker(member, reason, now);
      return;
    }
    this.#transitions.releaseAll(session, "its worker left", now);
    this.#membership.leave(member, "gone", member.reason, now);
    this.#transitions.record({ kind: "leave", worker: member.worker, reason: member.reason });
  }

  #goodbye(session: SessionId, reason: string, now: number): void {
    const member = this.#membership.bySession(session);
    if (!member) return;
    this.#membership.heard(member, now);
    this.#membership.drain(member, reason, now);
  }

  /** What the process with a worker's session calls itself; undefined while no session has that name. */
  incarnationOf(worker: string): string | undefined {
    const member = this.#membership.byName(worker);
    return member?.session === undefined ? undefined : member.hello.incarnation;
  }

  /** How many sessions there are. */
  get connectedWorkers(): number {
    return this.#membership.connectedCount;
  }

  /** Another process of the same name does not keep this one alive. */
  #heartbeat(worker: string, incarnation: string, now: number): void {
    const member = this.#membership.byName(worker);
    if (member?.hello.incarnation === incarnation) this.#membership.heard(member, now);
  }

  #heardFrom(session: SessionId, now: number): void {
    const member = this.#membership.bySession(session);
    if (member) this.#membership.heard(member, now);
  }

  #stopAsked(reason: string, now: number): void {
    if (this.#over) return;
    if (this.#stop) {
      this.#finish(`stopped at once: ${reason}`, now);
      return;
    }
    const begun = this.#board.steps.filter(({ begunMs }) => begunMs !== undefined);
    const lastStep = begun.at(-1)?.step ?? this.#trainer.step - 1;
    this.#stop = { reason, lastStep };
    for (const { step } of this.#board.steps) if (step > lastStep) this.#board.close(step);
    // With nothing to finish the run ends now, and its end is the event.
    if (begun.length === 0) return;
    this.#transitions.record({
      kind: "stop",
      step: this.#trainer.step,
      reason: `${reason}; finishing step ${lastStep + 1} first`,
    });
  }

  // What follows from the state and the time

  #decide(now: number): void {
    this.#dropSilent(now);
    this.#expireLeases(now);
    this.#audits.judge(now);
    this.#steps.reduce(now);
    if (this.#endIfDue(now)) return;
    this.#steps.open(this.#lastStep);
    this.#dispatch(now);
    this.#announce();
  }

  /** Time that passed while nobody called is the coordinator's own absence: nobody's silence and nobody's slowness. */
  #advanceClock(nowMs: number): number {
    const now = Math.max(this.#nowMs ?? nowMs, nowMs);
    const gap = now - (this.#nowMs ?? now);
    this.#nowMs = now;
    if (gap > 2 * LONGEST_SLEEP_MS) {
      this.#membership.discountPause(gap);
      this.#board.discountPause(gap);
      this.#audits.discountPause(gap);
    }
    return now;
  }

  #reinstate(now: number): void {
    for (const member of this.#membership.reinstate(now)) {
      this.#transitions.record({ kind: "reinstated", worker: member.worker, reason: member.reason });
    }
  }

  #dropSilent(now: number): void {
    for (const member of this.#membership.silent(now)) {
      const session = member.session!;
      const reason = `nothing heard for ${seconds(now - member.lastHeardMs)}`;
      this.#transitions.releaseAll(session, reason, now);
      this.#transitions.loseWorker(member, reason, now);
      this.#transitions.effect({ type: "disconnect", session, reason });
    }
  }

  #expireLeases(now: number): void {
    for (const lease of this.#scheduler.overdue(now)) {
      // One that has expired may have ended others, or given them more time.
      if (this.#board.find(lease.id) === undefined || !this.#scheduler.isOver(lease, now)) continue;
      const usual = seconds(this.#times[lease.entry.task.stage].usualMs!);
      this.#expire(lease, `no result after ${seconds(now - lease.grantedMs)}, where ${usual} is usual`, now);
    }
  }

  #expire(lease: GrantedLease, reason: string, now: number): void {
    this.#transitions.effect({ type: "cancel", session: lease.session, leases: [lease.id] });
    this.#transitions.release(lease, "lost", reason, now);
    if (lease.kind !== "trial") {
      this.#board.expired(lease.entry);
      this.#transitions.unanswered(lease, reason, now);
      return;
    }
    const member = this.#membership.bySession(lease.session)!;
    if (this.#membership.trialLapsed(member)) {
      const { lapsedTrials } = member.recentOutcomes;
      this.#transitions.quarantine(
        member,
        `it answers nothing: ${lapsedTrials} copies in a row on trial; ${reason}`,
        now,
      );
    }
  }

  /** True when the run is over. */
  #endIfDue(now: number): boolean {
    const { step } = this.#trainer;
    if (step === this.#schedule.totalSteps) this.#finish("the run is finished", now);
    else if (this.#results.failure !== undefined) this.#finish(this.#results.failure, now);
    else if (this.#stop && step > this.#stop.lastStep) this.#finish(this.#stop.reason, now);
    else if (this.#stop && this.#membership.connectedCount === 0) {
      this.#finish(`${this.#stop.reason}; no worker is left to finish step ${step + 1}`, now);
    }
    return this.#over;
  }

  #finish(reason: string, now: number): void {
    const { step } = this.#trainer;
    const complete = step === this.#schedule.totalSteps;
    for (const lease of [...this.#board.leases]) this.#transitions.endLease(lease, "lost", now);
    if (!complete) this.#steps.checkpointStop();
    for (const member of this.#membership.connected) {
      this.#transitions.effect({ type: "drain", session: member.session!, reason, finished: complete });
      this.#membership.drain(member, reason, now);
    }
    this.#transitions.record({ kind: complete ? "finished" : "stop", step, reason });
    this.#transitions.effect({
      type: "ended",
      complete,
      ...(this.#results.failure !== undefined && !complete && { failure: this.#results.failure }),
    });
    this.#over = true;
  }

  /** The last step that shall still be computed. */
  get #lastStep(): number {
    return this.#stop?.lastStep ?? this.#schedule.totalSteps - 1;
  }

  #dispatch(now: number): void {
    const granted = new Map<Member, GrantedLease[]>();
    for (const grant of this.#scheduler.dispatch(now)) {
      const lease = this.#grant(grant, now);
      const leases = granted.get(grant.member);
      if (leases) leases.push(lease);
      else granted.set(grant.member, [lease]);
    }
    for (const [member, leases] of granted) this.#assign(member, leases);
  }

  #grant(grant: Grant, now: number): GrantedLease {
    const { entry, member, reason } = grant;
    const { worker, hello, session } = member;
    const kind = LEASE_KIND[reason];
    // What is compared must be told from the rest.
    const groupable = this.#options.configuration.cluster.groups && kind === "first" && !entry.audited;
    const request = { entry, worker, backend: hello.backend, session: session!, kind, groupable };
    const lease = this.#board.grant(request, now);
    this.#scheduler.granted(grant);
    return lease;
  }

  #assign(member: Member, leases: readonly GrantedLease[]): void {
    const session = member.session!;
    for (const step of new Set(leases.map(({ entry }) => entry.task.parametersStep))) {
      if (!this.#membership.sendParameters(member, step)) continue;
      this.#transitions.effect({ type: "parameters", session, step });
    }
    this.#transitions.effect({
      type: "assign",
      session,
      leases: leases.map(({ id, entry, groupable }) => ({ id, task: entry.task, groupable })),
    });
  }

  #announce(): void {
    const announcements = this.#scheduler.announce(() => this.#steps.ahead(this.#lastStep));
    for (const [member, tasks] of announcements) {
      this.#transitions.effect({ type: "announce", session: member.session!, tasks });
    }
  }

  // Parts of the above

  get #phase(): RunPhase {
    if (this.#over && this.#trainer.step === this.#schedule.totalSteps) return "finished";
    if (this.#over || this.#stop) return "stopping";
    return this.#membership.connectedCount === 0 ? "waiting" : "training";
  }
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(ms < 10_000 ? 1 : 0)} s`;
}
