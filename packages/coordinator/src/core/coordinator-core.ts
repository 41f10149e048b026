import type {
  ClusterStatus,
  Configuration,
  ParameterLayout,
  RunEvent,
  RunPhase,
  Task,
  TaskOutcome,
} from "@mzsr/shared";
import { objectionToResult, objectionToWorker, type ResultObjection } from "./admission.js";
import { auditCase, isAudited, nextAuditMove } from "./audits.js";
import { Company } from "./company.js";
import { backupMoments, dispatch } from "./dispatch.js";
import type { CoordinatorEffect, CoordinatorEvent, SessionId, TaskEnd, WorkerHello } from "./events.js";
import { type GrantedLease, type LeaseKind, TaskBoard, type TaskEntry, type Vote } from "./leases.js";
import { HEARTBEAT_SECONDS, type Member, Membership } from "./membership.js";
import { Progress } from "./progress.js";
import { RunSchedule } from "./schedule.js";
import { clusterStatus } from "./status.js";
import { TaskTimes } from "./task-times.js";
import { sha256OfFloats, Trainer } from "./trainer.js";
import type { TrainingState } from "./training-state.js";

/** While workers are connected the core wants to be woken at least this often; longer gaps are its own absence. */
const LONGEST_SLEEP_MS = HEARTBEAT_SECONDS * 1000;

/** A task that so many different workers failed at, or that failed so many times, cannot be computed. */
const HOPELESS_WORKERS = 3;
const HOPELESS_FAILURES = 12;

export interface CoreOptions {
  readonly run: string;
  readonly configuration: Configuration;
  /** Where training starts or goes on. */
  readonly state: TrainingState;
  /** Task `index` of `step`: a pure function. */
  readonly drawTask: (step: number, index: number) => Task;
  readonly layout: ParameterLayout;
  /** Names this life of the coordinator; part of every lease id. */
  readonly epoch: string;
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
  readonly #times: Record<Task["stage"], TaskTimes>;
  readonly #progress = new Progress();
  readonly #company: Company;
  readonly #patienceMs: number;
  #effects: CoordinatorEffect[] = [];
  #nowMs: number | undefined;
  #checkpointedStep: number;
  /** Set by a stop: the last step that may still be finished. */
  #stop: { readonly reason: string; readonly lastStep: number } | undefined;
  /** Why the run can never end well. */
  #failure: string | undefined;
  #over = false;

  /** @throws InputError when the state does not fit the configuration */
  constructor(options: CoreOptions) {
    const { configuration, layout, state, epoch } = options;
    const { patience } = configuration.cluster;
    this.#options = options;
    this.#schedule = new RunSchedule(configuration);
    this.#trainer = new Trainer(this.#schedule, layout, state);
    if (configuration.backend !== "auto") this.#trainer.fixBackend(configuration.backend);
    this.#membership = new Membership(patience);
    this.#board = new TaskBoard(`${epoch}.`);
    this.#times = { pretraining: new TaskTimes(patience), metaTraining: new TaskTimes(patience) };
    this.#patienceMs = patience * 1000;
    this.#company = new Company(this.#patienceMs);
    this.#checkpointedStep = state.step;
  }

  /** The run has ended: nothing will happen any more but refusals. */
  get over(): boolean {
    return this.#over;
  }

  /** Takes in one event and everything that the passing of time means. Returns what is to be done, in order. */
  handle(event: CoordinatorEvent, nowMs: number): CoordinatorEffect[] {
    this.#effects = [];
    const now = this.#advanceClock(nowMs);
    this.#reinstate(now);
    this.#take(event, now);
    if (!this.#over) this.#decide(now);
    return this.#effects;
  }

  /** When to call `handle` with a tick at the latest, on the same clock; `undefined` when only events matter. */
  nextWakeMs(nowMs: number): number | undefined {
    let next = Number.POSITIVE_INFINITY;
    if (!this.#over) for (const moment of this.#moments(nowMs)) if (moment > nowMs) next = Math.min(next, moment);
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
        this.#heard(this.#membership.byName(event.worker), now);
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
      this.#effect({ type: "drain", session, reason: "the run is finished", finished: true });
      return;
    }
    const refusal = this.#objectionToJoin(hello);
    if (refusal) this.#refuseWorker(session, hello, refusal);
    else this.#admit(session, hello, now);
  }

  #objectionToJoin(hello: WorkerHello): JoinRefusal | undefined {
    if (this.#over) return { reason: "the coordinator has stopped", retry: true, tell: false };
    if (this.#stop) return { reason: "the coordinator is stopping", retry: true, tell: false };
    const mixed = this.#options.configuration.cluster.mixedBackends;
    const unfit = objectionToWorker(hello, { backend: this.#trainer.backend, mixed });
    return unfit === undefined ? undefined : { reason: unfit, retry: false, tell: true };
  }

  #refuseWorker(session: SessionId, { worker }: WorkerHello, { reason, retry, tell }: JoinRefusal): void {
    this.#effect({ type: "refuse", session, reason, retry });
    if (tell) this.#tell({ kind: "refusal", worker, reason });
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
    this.#effect({ type: "welcome", session });
    const offer = `${hello.slots} ${hello.slots === 1 ? "slot" : "slots"} on ${hello.backend}`;
    const reason = settles ? `${offer}, which settles the run's backend` : offer;
    this.#tell({ kind: "join", worker: hello.worker, reason });
  }

  #dropReplaced(session: SessionId, now: number): void {
    this.#releaseAll(session, "its worker opened a newer session", now);
    this.#effect({ type: "disconnect", session, reason: "replaced by a newer session of the same worker name" });
  }

  #streamGone(session: SessionId, reason: string, now: number): void {
    const member = this.#membership.bySession(session);
    if (!member) return;
    const leaving = member.state === "draining";
    this.#releaseAll(session, leaving ? "its worker left" : `its worker's stream closed: ${reason}`, now);
    this.#membership.leave(member, leaving ? "gone" : "lost", leaving ? member.reason : reason, now);
    if (!leaving) this.#progress.countLostWorker();
    this.#tell({ kind: leaving ? "leave" : "lost", worker: member.worker, reason: member.reason });
  }

  #goodbye(session: SessionId, reason: string, now: number): void {
    const member = this.#membership.bySession(session);
    if (!member) return;
    this.#heard(member, now);
    this.#membership.drain(member, reason, now);
  }

  #heard(member: Member | undefined, now: number): void {
    if (member?.session !== undefined) member.lastHeardMs = now;
  }

  #result(session: SessionId, id: string, outcome: TaskOutcome, now: number): void {
    const member = this.#membership.bySession(session);
    this.#heard(member, now);
    const lease = this.#currentLease(session, id);
    if (!member || !lease) {
      this.#countTask(member?.worker ?? "unknown", "late", { bytes: outcome.gradient.byteLength });
      return;
    }
    const { task } = lease.entry;
    const objection = objectionToResult(outcome, task, this.#resultRules(task.step));
    if (objection) this.#refuseResult(member, lease, outcome, objection, now);
    else this.#accept(member, lease, outcome, now);
  }

  #accept(member: Member, lease: GrantedLease, outcome: TaskOutcome, now: number): void {
    const { entry } = lease;
    this.#timesOf(entry).observe(now - lease.grantedMs);
    this.#membership.taskDone(member, (now - lease.grantedMs) / 1000);
    const end = entry.votes.length === 0 ? "accepted" : "audited";
    this.#endLease(lease, end, now, { bytes: outcome.gradient.byteLength });
    const hash = entry.audited ? sha256OfFloats(outcome.gradient) : "";
    const vote = { worker: member.worker, backend: lease.backend, outcome, hash };
    entry.votes.push(vote);
    if (!entry.audited) this.#settle(entry, vote, now);
  }

  #refuseResult(m: Member, lease: GrantedLease, outcome: TaskOutcome, objection: ResultObjection, now: number): void {
    const { step, index } = lease.entry.task;
    const reason = `its result ${objection.reason}`;
    this.#tell({ kind: "refusal", worker: m.worker, step, index, reason });
    this.#endLease(lease, "refused", now, { bytes: outcome.gradient.byteLength, code: objection.code });
    this.#blame(m, lease.entry, reason, now);
  }

  #taskFailed(session: SessionId, id: string, reason: string, now: number): void {
    const member = this.#membership.bySession(session);
    this.#heard(member, now);
    const lease = this.#currentLease(session, id);
    if (!member || !lease) return;
    const leaving = member.state === "draining";
    this.#release(lease, leaving ? "lost" : "failed", reason, now);
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
    const finishing = begun.length === 0 ? "" : `; finishing step ${lastStep + 1} first`;
    this.#tell({ kind: "stop", step: this.#trainer.step, reason: `${reason}${finishing}` });
  }

  // What follows from the state and the time

  #decide(now: number): void {
    this.#dropSilent(now);
    this.#expireLeases(now);
    this.#company.note(
      this.#membership.active.map(({ hello }) => hello.backend),
      now,
    );
    this.#judgeAudits(now);
    this.#reduceSteps(now);
    if (this.#endIfDue(now)) return;
    this.#openSteps();
    this.#dispatch(now);
  }

  /** Time that passed while nobody called is the coordinator's own absence: nobody's silence and nobody's slowness. */
  #advanceClock(nowMs: number): number {
    const now = Math.max(this.#nowMs ?? nowMs, nowMs);
    const gap = now - (this.#nowMs ?? now);
    this.#nowMs = now;
    if (gap > 2 * LONGEST_SLEEP_MS) {
      this.#membership.excuse(gap);
      this.#board.excuse(gap);
      this.#company.excuse(gap);
    }
    return now;
  }

  /** When time alone will change something. */
  *#moments(now: number): Generator<number> {
    if (this.#membership.connected.length > 0) yield now + LONGEST_SLEEP_MS;
    yield* this.#membership.attentionMs();
    for (const lease of this.#board.leases) yield lease.grantedMs + this.#deadlineMs(lease);
    yield* backupMoments({ board: this.#board, workers: this.#membership.active, timesOf: this.#timesOf });
    for (const { votes, dissentMs } of this.#board.unsettled()) {
      if (votes[0]) yield this.#company.aloneFromMs(votes[0].backend);
      if (dissentMs !== undefined) yield dissentMs + this.#patienceMs;
    }
  }

  #reinstate(now: number): void {
    for (const member of this.#membership.reinstate(now)) {
      this.#tell({ kind: "reinstated", worker: member.worker, reason: member.reason });
    }
  }

  #dropSilent(now: number): void {
    for (const member of this.#membership.silent(now)) {
      const session = member.session!;
      const reason = `nothing heard for ${seconds(now - member.lastHeardMs)}`;
      this.#releaseAll(session, reason, now);
      this.#membership.leave(member, "lost", reason, now);
      this.#progress.countLostWorker();
      this.#tell({ kind: "lost", worker: member.worker, reason });
      this.#effect({ type: "disconnect", session, reason });
    }
  }

  #expireLeases(now: number): void {
    for (const lease of [...this.#board.leases]) {
      const age = now - lease.grantedMs;
      if (age < this.#deadlineMs(lease) || this.#board.find(lease.id) === undefined) continue;
      const usual = seconds(this.#timesOf(lease.entry).usualMs!);
      const reason = `no result after ${seconds(age)}, where ${usual} is usual`;
      this.#effect({ type: "cancel", session: lease.session, leases: [lease.id] });
      this.#release(lease, "lost", reason, now);
      lease.entry.expirations++;
      const member = this.#membership.bySession(lease.session)!;
      if (this.#membership.taskFailed(member)) this.#quarantine(member, reason, now);
    }
  }

  #judgeAudits(now: number): void {
    let moved = true;
    while (moved) {
      moved = false;
      for (const entry of this.#board.unsettled()) {
        if (entry.audited && entry.votes.length > 0 && this.#judgeAudit(entry, now)) moved = true;
      }
    }
  }

  /** True when something was settled, which can change the other audits. */
  #judgeAudit(entry: TaskEntry, now: number): boolean {
    const alone = now >= this.#company.aloneFromMs(entry.votes[0]!.backend);
    const waitedForThird = entry.dissentMs !== undefined && now - entry.dissentMs >= this.#patienceMs;
    const decision = nextAuditMove(auditCase(entry, this.#membership.active, { alone, waitedForThird }));
    if (decision.move === "wait" && decision.forThird) entry.dissentMs ??= now;
    else entry.dissentMs = undefined;
    if (decision.move === "wait" || decision.move === "compute") return false;
    const { step, index } = entry.task;
    if (decision.move === "settle") {
      entry.confirmed = decision.result !== "skipped";
      this.#settle(entry, decision.vote, now);
      this.#effect({ type: "audit", result: decision.result, step, index });
      this.#progress.countAudit(decision.result);
      this.#tellAudit(entry, decision.result, decision.vote);
    } else {
      entry.votes.length = 0;
    }
    for (const worker of decision.wrong) this.#condemn(worker, entry, now);
    return true;
  }

  #tellAudit(entry: TaskEntry, result: string, vote: Vote): void {
    if (result !== "mismatch" && result !== "undecided") return;
    const { step, index } = entry.task;
    const opinions = entry.votes.map(({ worker, hash }) => `${worker} ${hash.slice(0, 12)}`).join(", ");
    const verdict =
      result === "mismatch" ? `that of ${vote.worker} is right` : `undecided, kept that of ${vote.worker}`;
    this.#tell({ kind: "audit", step, index, reason: `results differ (${opinions}); ${verdict}` });
  }

  /** An audit found that a worker computes wrong numbers: what it gave to the open steps is computed again. */
  #condemn(worker: string, proof: TaskEntry, now: number): void {
    for (const { entries } of this.#board.steps) {
      for (const entry of entries) if (!entry.confirmed) this.#forgetVotes(entry, worker);
    }
    const member = this.#membership.byName(worker);
    const { step, index } = proof.task;
    if (member) this.#quarantine(member, `an audit found its result of step ${step} task ${index} wrong`, now);
  }

  #forgetVotes(entry: TaskEntry, worker: string): void {
    for (let i = entry.votes.length - 1; i >= 0; i--) {
      if (entry.votes[i]!.worker !== worker) continue;
      entry.votes.splice(i, 1);
      this.#countTask(worker, "dropped");
    }
    if (entry.settled?.worker === worker) entry.settled = undefined;
  }

  #reduceSteps(now: number): void {
    for (;;) {
      const { step } = this.#trainer;
      const outcomes = this.#board.settledOutcomes(step);
      if (!outcomes) return;
      const begunMs = this.#board.steps.find((open) => open.step === step)!.begunMs!;
      this.#board.close(step);
      const circumstances = { seconds: (now - begunMs) / 1000, workers: this.#membership.connected.length };
      const summary = this.#trainer.advance(outcomes, circumstances);
      this.#progress.stepDone(summary, now);
      this.#effect({ type: "step", summary });
      this.#checkpointIfDue();
    }
  }

  #checkpointIfDue(): void {
    const { step } = this.#trainer;
    const { pretraining, checkpoints } = this.#options.configuration;
    const stageEnds = step === pretraining.steps && step < this.#schedule.totalSteps;
    if (step === this.#schedule.totalSteps) this.#checkpoint("finished");
    else if (stageEnds) this.#checkpoint("stage");
    else if (step % checkpoints.every === 0) this.#checkpoint("interval");
    if (stageEnds) this.#tell({ kind: "stage", step, reason: "pretraining is done; meta-training begins" });
  }

  #checkpoint(reason: "interval" | "stop" | "finished" | "stage"): void {
    const state = this.#trainer.snapshot();
    this.#checkpointedStep = state.step;
    this.#effect({ type: "checkpoint", step: state.step, reason, state });
  }

  /** True when the run is over. */
  #endIfDue(now: number): boolean {
    const { step } = this.#trainer;
    if (step === this.#schedule.totalSteps) this.#finish("the run is finished", now);
    else if (this.#failure !== undefined) this.#finish(this.#failure, now);
    else if (this.#stop && step > this.#stop.lastStep) this.#finish(this.#stop.reason, now);
    else if (this.#stop && this.#membership.connected.length === 0) {
      this.#finish(`${this.#stop.reason}; no worker is left to finish step ${step + 1}`, now);
    }
    return this.#over;
  }

  #finish(reason: string, now: number): void {
    const { step } = this.#trainer;
    const complete = step === this.#schedule.totalSteps;
    for (const lease of [...this.#board.leases]) this.#endLease(lease, "lost", now);
    if (!complete && this.#checkpointedStep !== step) this.#checkpoint("stop");
    for (const member of this.#membership.connected) {
      this.#effect({ type: "drain", session: member.session!, reason, finished: complete });
      this.#membership.drain(member, reason, now);
    }
    this.#tell({ kind: complete ? "finished" : "stop", step, reason });
    this.#effect({
      type: "ended",
      complete,
      ...(this.#failure !== undefined && !complete && { failure: this.#failure }),
    });
    this.#over = true;
  }

  #openSteps(): void {
    const first = this.#trainer.step;
    const last = Math.min(first + this.#schedule.pipeline, this.#stop?.lastStep ?? this.#schedule.totalSteps - 1);
    for (let step = first; step <= last; step++) {
      if (this.#schedule.parametersStepOf(step) > first) return;
      if (!this.#board.has(step)) this.#board.open(step, this.#drawStep(step));
    }
  }

  #drawStep(step: number): { task: Task; audited: boolean }[] {
    const { seed, cluster } = this.#options.configuration;
    return Array.from({ length: this.#schedule.tasksOf(step) }, (_, index) => ({
      task: this.#options.drawTask(step, index),
      audited: isAudited(seed, step, index, cluster.auditShare),
    }));
  }

  #dispatch(now: number): void {
    const granted = new Map<Member, GrantedLease[]>();
    const grant = (entry: TaskEntry, member: Member, kind: LeaseKind) => {
      const { worker, hello, session } = member;
      const lease = this.#board.grant({ entry, worker, backend: hello.backend, session: session!, kind }, now);
      granted.set(member, [...(granted.get(member) ?? []), lease]);
    };
    dispatch({ board: this.#board, workers: this.#membership.active, timesOf: this.#timesOf, nowMs: now, grant });
    for (const [member, leases] of granted) this.#assign(member, leases);
  }

  #assign(member: Member, leases: readonly GrantedLease[]): void {
    const session = member.session!;
    for (const step of new Set(leases.map(({ entry }) => entry.task.parametersStep))) {
      if (member.parametersSent.has(step)) continue;
      member.parametersSent.add(step);
      this.#effect({ type: "parameters", session, step });
    }
    this.#effect({ type: "assign", session, leases: leases.map(({ id, entry }) => ({ id, task: entry.task })) });
  }

  // Parts of the above

  /** The task's result is known; whoever else computes it may stop. */
  #settle(entry: TaskEntry, vote: Vote, now: number): void {
    entry.settled = vote;
    for (const lease of [...entry.leases]) {
      this.#effect({ type: "cancel", session: lease.session, leases: [lease.id] });
      this.#endLease(lease, "repeated", now);
    }
  }

  /** A worker failed at a task. Sometimes the worker is at fault, and sometimes the task. */
  #blame(member: Member, entry: TaskEntry, reason: string, now: number): void {
    entry.failures.push(member.worker);
    const workers = new Set(entry.failures).size;
    if (entry.votes.length === 0 && (workers >= HOPELESS_WORKERS || entry.failures.length >= HOPELESS_FAILURES)) {
      const { step, index } = entry.task;
      const times = `${entry.failures.length} times on ${workers} ${workers === 1 ? "worker" : "workers"}`;
      this.#failure = `task ${index} of step ${step + 1} failed ${times}, at last on ${member.worker}: ${reason}`;
    }
    if (this.#membership.taskFailed(member)) this.#quarantine(member, reason, now);
  }

  #quarantine(member: Member, because: string, now: number): void {
    const { session } = member;
    if (session !== undefined) this.#releaseAll(session, "its worker was put into quarantine", now);
    const duration = this.#membership.quarantine(member, because, now);
    this.#progress.countQuarantine();
    this.#tell({ kind: "quarantine", worker: member.worker, reason: `for ${duration} s: ${because}` });
    if (session !== undefined)
      this.#effect({ type: "disconnect", session, reason: `quarantined for ${duration} s: ${because}` });
  }

  #releaseAll(session: SessionId, reason: string, now: number): void {
    for (const lease of this.#board.leasesOf(session)) this.#release(lease, "lost", reason, now);
  }

  /** A lease ended without a result: its task is free again. */
  #release(lease: GrantedLease, end: "lost" | "failed", reason: string, now: number): void {
    this.#endLease(lease, end, now);
    const { step, index } = lease.entry.task;
    this.#tell({ kind: "release", worker: lease.worker, step, index, reason });
  }

  #endLease(lease: GrantedLease, end: TaskEnd, now: number, more: { bytes?: number; code?: string } = {}): void {
    this.#board.end(lease);
    this.#countTask(lease.worker, end, { ...more, seconds: (now - lease.grantedMs) / 1000 });
  }

  #countTask(worker: string, outcome: TaskEnd, more: { seconds?: number; bytes?: number; code?: string } = {}): void {
    this.#progress.countTask(outcome);
    this.#effect({ type: "taskEnded", worker, outcome, seconds: 0, bytes: 0, ...more });
  }

  #currentLease(session: SessionId, id: string): GrantedLease | undefined {
    const lease = this.#board.find(id);
    return lease?.session === session ? lease : undefined;
  }

  #resultRules(step: number) {
    const { maxGradientNorm } = this.#options.configuration.cluster;
    return { size: this.#options.layout.size, lossCounts: this.#schedule.lossCounts(step), maxGradientNorm };
  }

  readonly #timesOf = (entry: TaskEntry): TaskTimes => this.#times[entry.task.stage];

  #deadlineMs({ entry }: GrantedLease): number {
    return this.#timesOf(entry).deadlineMs(entry.expirations);
  }

  get #phase(): RunPhase {
    if (this.#over) return "finished";
    if (this.#stop) return "stopping";
    return this.#membership.connected.length === 0 ? "waiting" : "training";
  }

  #tell(event: RunEvent): void {
    this.#effect({ type: "event", event });
  }

  #effect(effect: CoordinatorEffect): void {
    this.#effects.push(effect);
  }
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(ms < 10_000 ? 1 : 0)} s`;
}
