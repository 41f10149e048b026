import type { ParameterLayout } from "@mzsr/mzsr";
import type { ClusterStatus, Configuration, RunPhase, Task, TaskOutcome } from "@mzsr/shared";
import { type ResultRejection, validateResult, validateWorker } from "./admission.js";
import { Auditor } from "./auditor.js";
import { type Grant, LEASE_KIND } from "./dispatch.js";
import type { CoordinatorEffect, CoordinatorEvent, SessionId, WorkerHello } from "./events.js";
import { isHopeless } from "./hopeless.js";
import { type GrantedLease, TaskBoard, type TaskEntry } from "./leases.js";
import { HEARTBEAT_SECONDS, type Member, Membership } from "./membership.js";
import { Progress } from "./progress.js";
import { RunSchedule } from "./schedule.js";
import { Scheduler, type SchedulerParts } from "./scheduler.js";
import { clusterStatus } from "./status.js";
import { Steps } from "./steps.js";
import { type StageTimes, TaskTimes } from "./task-times.js";
import { sha256OfFloats, Trainer } from "./trainer.js";
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
  #nowMs: number | undefined;
  /** Set by a stop: the last step that may still be finished. */
  #stop: { readonly reason: string; readonly lastStep: number } | undefined;
  /** Why the run can never end well. */
  #failure: string | undefined;
  #over = false;

  /** @throws InputError when the state does not fit the configuration */
  constructor(options: CoreOptions) {
    const { configuration, layout, state, incarnation } = options;
    const { patience } = configuration.cluster;
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
    const parts = { board: this.#board, membership: this.#membership, transitions: this.#transitions, times };
    this.#scheduler = options.scheduler?.(parts) ?? new Scheduler(parts);
    this.#audits = new Auditor({ ...parts, patienceMs: patience * 1000 });
    this.#steps = new Steps({
      ...parts,
      configuration,
      drawTask: options.drawTask,
      schedule: this.#schedule,
      trainer: this.#trainer,
      progress: this.#progress,
    });
  }

  /** The run has ended: nothing will happen any more but refusals. */
  get over(): boolean {
    return this.#over;
  }

  /** Takes in one event and everything that the passing of time means. Returns what is to be done, in order. */
  handle(event: CoordinatorEvent, nowMs: number): CoordinatorEffect[] {
    const now = this.#advanceClock(nowMs);
    this.#reinstate(now);
    this.#take(event, now);
    if (!this.#over) this.#decide(now);
    return this.#transitions.takeEffects();
  }

  /** When to call `handle` with a tick at the latest, on the same clock; `undefined` when only events matter. */
  nextWakeMs(nowMs: number): number | undefined {
    if (this.#over) return undefined;
    const next = Math.min(
      this.#membership.connectedCount > 0 ? nowMs + LONGEST_SLEEP_MS : Number.POSITIVE_INFINITY,
      this.#membership.attentionMs(nowMs),
      this.#scheduler.nextMs(nowMs),
      this.#audits.nextMs(nowMs),
    );
    return Number.isFinite(next) ? next : undefined;
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
        this.#result(event.session, event.lease, event.outcome, now);
        break;
      case "failure":
        this.#taskFailed(event.session, event.lease, event.reason, now);
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
    this.#heard(member, now);
    this.#membership.drain(member, reason, now);
  }

  /** Another process of the same name does not keep this one alive. */
  #heartbeat(worker: string, incarnation: string, now: number): void {
    const member = this.#membership.byName(worker);
    if (member?.hello.incarnation === incarnation) this.#heard(member, now);
  }

  #heard(member: Member | undefined, now: number): void {
    if (member) this.#membership.heard(member, now);
  }

  #result(session: SessionId, id: string, outcome: TaskOutcome, now: number): void {
    const member = this.#membership.bySession(session);
    this.#heard(member, now);
    const lease = this.#currentLease(session, id);
    if (!member || !lease) {
      this.#transitions.countTask(member?.worker ?? "unknown", "late", { bytes: outcome.gradient.byteLength });
      return;
    }
    const { task } = lease.entry;
    const rejection = validateResult(outcome, task, this.#resultRules(task.step));
    if (rejection) this.#refuseResult(member, lease, outcome, rejection, now);
    else this.#accept(member, lease, outcome, now);
  }

  #accept(member: Member, lease: GrantedLease, outcome: TaskOutcome, now: number): void {
    const { entry } = lease;
    this.#transitions.answered(member, now);
    if (entry.settled !== undefined) {
      this.#compareCopy(member, lease, outcome, now);
      return;
    }
    this.#times[entry.task.stage].observe(now - lease.grantedMs);
    this.#membership.taskDone(member, (now - lease.grantedMs) / 1000);
    const end = entry.votes.length === 0 ? "accepted" : "audited";
    this.#transitions.endLease(lease, end, now, { bytes: outcome.gradient.byteLength });
    // Nothing of a quarantined worker's successor counts until somebody confirms it.
    if (lease.kind === "trial" && member.recentOutcomes.trial === "successor") this.#board.audit(entry);
    const hash = entry.audited ? sha256OfFloats(outcome.gradient) : "";
    const { worker, hello } = member;
    const vote = { worker, incarnation: hello.incarnation, backend: lease.backend, outcome, hash };
    this.#board.vote(entry, vote);
    if (!entry.audited) this.#transitions.settle(entry, vote, now);
  }

  /** A worker on trial has computed a task whose result is known by now. */
  #compareCopy({ worker, hello }: Member, lease: GrantedLease, outcome: TaskOutcome, now: number): void {
    const { backend, outcome: right } = lease.entry.settled!;
    this.#transitions.endLease(lease, "repeated", now, { bytes: outcome.gradient.byteLength });
    const same = backend === lease.backend && sha256OfFloats(outcome.gradient) === sha256OfFloats(right.gradient);
    if (same) this.#transitions.confirmed(worker, hello.incarnation, now);
  }

  #refuseResult(m: Member, lease: GrantedLease, outcome: TaskOutcome, rejection: ResultRejection, now: number): void {
    const { step, index } = lease.entry.task;
    const reason = `its result ${rejection.reason}`;
    this.#transitions.record({ kind: "refusal", worker: m.worker, step, index, reason });
    this.#transitions.endLease(lease, "refused", now, { bytes: outcome.gradient.byteLength, code: rejection.code });
    this.#blame(m, lease.entry, reason, now);
  }

  #taskFailed(session: SessionId, id: string, reason: string, now: number): void {
    const member = this.#membership.bySession(session);
    this.#heard(member, now);
    const lease = this.#currentLease(session, id);
    if (!member || !lease) return;
    const leaving = member.state === "draining";
    this.#transitions.release(lease, leaving ? "lost" : "failed", reason, now);
    if (!leaving) this.#blame(member, lease.entry, reason, now);
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
    else if (this.#failure !== undefined) this.#finish(this.#failure, now);
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
      ...(this.#failure !== undefined && !complete && { failure: this.#failure }),
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
    const lease = this.#board.grant({ entry, worker, backend: hello.backend, session: session!, kind }, now);
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
      leases: leases.map(({ id, entry }) => ({ id, task: entry.task })),
    });
  }

  #announce(): void {
    const announcements = this.#scheduler.announce(() => this.#steps.ahead(this.#lastStep));
    for (const [member, tasks] of announcements) {
      this.#transitions.effect({ type: "announce", session: member.session!, tasks });
    }
  }

  // Parts of the above

  /** A worker failed at a task. Sometimes the worker is at fault, and sometimes the task. */
  #blame(member: Member, entry: TaskEntry, reason: string, now: number): void {
    this.#board.failed(entry, member.worker, now);
    if (entry.settled === undefined && entry.votes.length === 0 && this.#isHopeless(entry, now)) {
      const { step, index } = entry.task;
      const workers = new Set(entry.failures).size;
      const times = `${entry.failures.length} times on ${workers} ${workers === 1 ? "worker" : "workers"}`;
      this.#failure = `task ${index} of step ${step + 1} failed ${times}, at last on ${member.worker}: ${reason}`;
    }
    if (this.#membership.taskFailed(member)) this.#transitions.quarantine(member, reason, now);
  }

  #isHopeless({ failures, failedMs }: TaskEntry, now: number): boolean {
    const credible = new Set(failures.filter((name) => (this.#membership.byName(name)?.tasksDone ?? 0) > 0));
    return isHopeless({
      failures,
      credible,
      untried: this.#membership.eligibility.some(({ worker }) => !failures.includes(worker)),
      anyAccepted: this.#progress.counters.tasksAccepted! > 0,
      patiences: (now - failedMs!) / (1000 * this.#options.configuration.cluster.patience),
    });
  }

  #currentLease(session: SessionId, id: string): GrantedLease | undefined {
    const lease = this.#board.find(id);
    return lease?.session === session ? lease : undefined;
  }

  #resultRules(step: number) {
    const { maxGradientNorm } = this.#options.configuration.cluster;
    return { size: this.#options.layout.size, lossCounts: this.#schedule.lossCounts(step), maxGradientNorm };
  }

  get #phase(): RunPhase {
    if (this.#over && this.#trainer.step === this.#schedule.totalSteps) return "finished";
    if (this.#over || this.#stop) return "stopping";
    return this.#membership.connectedCount === 0 ? "waiting" : "training";
  }
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(ms < 10_000 ? 1 : 0)} s`;
}
