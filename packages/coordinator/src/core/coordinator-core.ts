import type { ParameterLayout } from "@mzsr/mzsr";
import type { ClusterStatus, Configuration, RunPhase, Task, TaskOutcome } from "@mzsr/shared";
import { type ResultRejection, validateResult, validateWorker } from "./admission.js";
import { Announcements } from "./announcements.js";
import { Auditor } from "./auditor.js";
import { isAudited } from "./audits.js";
import { backupMoments, dispatch, mayHelp } from "./dispatch.js";
import type { CoordinatorEffect, CoordinatorEvent, SessionId, WorkerHello } from "./events.js";
import { isHopeless } from "./hopeless.js";
import { type GrantedLease, isPending, type LeaseKind, TaskBoard, type TaskEntry } from "./leases.js";
import { HEARTBEAT_SECONDS, type Member, Membership } from "./membership.js";
import { Progress } from "./progress.js";
import { RunSchedule } from "./schedule.js";
import { clusterStatus } from "./status.js";
import { TaskTimes } from "./task-times.js";
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
}

interface DrawnTask {
  readonly task: Task;
  readonly audited: boolean;
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
  readonly #transitions: Transitions;
  readonly #audits: Auditor;
  readonly #announcements = new Announcements();
  /** The tasks of the step after the open ones. */
  #ahead: { readonly step: number; readonly tasks: readonly DrawnTask[] } | undefined;
  #nowMs: number | undefined;
  /** When the newest step was done. */
  #reducedMs = Number.NEGATIVE_INFINITY;
  #checkpointedStep: number;
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
    this.#board = new TaskBoard(`${incarnation}.`);
    this.#times = { pretraining: new TaskTimes(patience), metaTraining: new TaskTimes(patience) };
    this.#transitions = new Transitions(this.#board, this.#membership, this.#progress, this.#timesOf);
    this.#audits = new Auditor({
      board: this.#board,
      membership: this.#membership,
      transitions: this.#transitions,
      timesOf: this.#timesOf,
      patienceMs: patience * 1000,
    });
    this.#checkpointedStep = state.step;
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
    if (member?.session !== undefined) member.lastHeardMs = now;
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
    this.#timesOf(entry).observe(now - lease.grantedMs);
    this.#membership.taskDone(member, (now - lease.grantedMs) / 1000);
    const end = entry.votes.length === 0 ? "accepted" : "audited";
    this.#transitions.endLease(lease, end, now, { bytes: outcome.gradient.byteLength });
    // Nothing of a quarantined worker's successor counts until somebody confirms it.
    if (lease.kind === "trial" && member.recentOutcomes.trial === "successor") entry.audited = true;
    const hash = entry.audited ? sha256OfFloats(outcome.gradient) : "";
    const { worker, hello } = member;
    const vote = { worker, incarnation: hello.incarnation, backend: lease.backend, outcome, hash };
    entry.votes.push(vote);
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
    this.#reduceSteps(now);
    if (this.#endIfDue(now)) return;
    this.#openSteps();
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

  /** When time alone will change something. */
  *#moments(now: number): Generator<number> {
    if (this.#membership.connected.length > 0) yield now + LONGEST_SLEEP_MS;
    yield* this.#membership.attentionMs();
    for (const lease of this.#board.leases) yield lease.grantedMs + this.#deadlineMs(lease);
    yield* backupMoments({ board: this.#board, workers: this.#membership.eligible, timesOf: this.#timesOf });
    yield* this.#audits.moments();
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
    for (const lease of [...this.#board.leases]) {
      // One that has expired may have ended others.
      if (this.#board.find(lease.id) === undefined) continue;
      const age = now - lease.grantedMs;
      if (age < this.#deadlineMs(lease)) continue;
      if (age < this.#aloneDeadlineMs(lease) && this.#isAlone(lease)) continue;
      const usual = seconds(this.#timesOf(lease.entry).usualMs!);
      this.#expire(lease, `no result after ${seconds(age)}, where ${usual} is usual`, now);
    }
  }

  #expire(lease: GrantedLease, reason: string, now: number): void {
    this.#transitions.effect({ type: "cancel", session: lease.session, leases: [lease.id] });
    this.#transitions.release(lease, "lost", reason, now);
    if (lease.kind !== "trial") {
      lease.entry.expirations++;
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

  /** Nobody else could take the lease's task: then there is nothing to be gained from ending it. */
  #isAlone({ entry, kind, session }: GrantedLease): boolean {
    if (kind === "trial") return false;
    return !this.#membership.eligible.some((member) => member.session !== session && mayHelp(entry, member));
  }

  #reduceSteps(now: number): void {
    for (;;) {
      const { step } = this.#trainer;
      const outcomes = this.#board.settledOutcomes(step);
      if (!outcomes) return;
      const begunMs = this.#board.steps.find((open) => open.step === step)!.begunMs!;
      this.#board.close(step);
      const sinceMs = Math.max(begunMs, this.#reducedMs);
      this.#reducedMs = now;
      const circumstances = { seconds: (now - sinceMs) / 1000, workers: this.#membership.connected.length };
      const summary = this.#trainer.advance(outcomes, circumstances);
      this.#progress.stepDone(summary, now);
      this.#transitions.effect({ type: "step", summary });
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
    if (stageEnds)
      this.#transitions.record({ kind: "stage", step, reason: "pretraining is done; meta-training begins" });
  }

  #checkpoint(reason: "interval" | "stop" | "finished" | "stage"): void {
    const state = this.#trainer.snapshot();
    this.#checkpointedStep = state.step;
    this.#transitions.effect({ type: "checkpoint", step: state.step, reason, state });
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
    for (const lease of [...this.#board.leases]) this.#transitions.endLease(lease, "lost", now);
    if (!complete && this.#checkpointedStep !== step) this.#checkpoint("stop");
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

  #openSteps(): void {
    const first = this.#trainer.step;
    const last = Math.min(first + this.#schedule.pipeline, this.#lastStep);
    for (let step = first; step <= last; step++) {
      if (this.#schedule.parametersStepOf(step) > first) return;
      if (!this.#board.has(step)) this.#board.open(step, this.#drawStep(step));
    }
  }

  /** The last step that shall still be computed. */
  get #lastStep(): number {
    return this.#stop?.lastStep ?? this.#schedule.totalSteps - 1;
  }

  #drawStep(step: number): readonly DrawnTask[] {
    if (this.#ahead?.step === step) return this.#ahead.tasks;
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
      this.#announcements.leased(entry.task);
    };
    dispatch({
      board: this.#board,
      workers: this.#membership.eligible,
      onTrial: this.#membership.onTrial,
      timesOf: this.#timesOf,
      nowMs: now,
      announcedTo: ({ task }) => this.#announcements.sessionOf(task),
      grant,
    });
    for (const [member, leases] of granted) this.#assign(member, leases);
  }

  #assign(member: Member, leases: readonly GrantedLease[]): void {
    const session = member.session!;
    for (const step of new Set(leases.map(({ entry }) => entry.task.parametersStep))) {
      if (member.parametersSent.has(step)) continue;
      member.parametersSent.add(step);
      this.#transitions.effect({ type: "parameters", session, step });
    }
    this.#transitions.effect({
      type: "assign",
      session,
      leases: leases.map(({ id, entry }) => ({ id, task: entry.task })),
    });
  }

  #announce(): void {
    const announcements = this.#announcements.next(this.#upcoming(), this.#membership.eligible, this.#board);
    for (const [member, tasks] of announcements) {
      this.#transitions.effect({ type: "announce", session: member.session!, tasks });
    }
  }

  /** Tasks that will be given next: those of the open steps, then those of the step after, whose θ is not there yet. */
  *#upcoming(): Generator<Task> {
    for (const { entries } of this.#board.steps) {
      for (const entry of entries) if (isPending(entry) && entry.failures.length === 0) yield entry.task;
    }
    const step = (this.#board.steps.at(-1)?.step ?? this.#trainer.step - 1) + 1;
    if (step > this.#lastStep) return;
    this.#ahead = { step, tasks: this.#drawStep(step) };
    for (const { task } of this.#ahead.tasks) yield task;
  }

  // Parts of the above

  /** A worker failed at a task. Sometimes the worker is at fault, and sometimes the task. */
  #blame(member: Member, entry: TaskEntry, reason: string, now: number): void {
    entry.failures.push(member.worker);
    entry.failedMs ??= now;
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
      untried: this.#membership.eligible.some(({ worker }) => !failures.includes(worker)),
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

  readonly #timesOf = (entry: TaskEntry): TaskTimes => this.#times[entry.task.stage];

  /** Each copy on trial may take twice as long as the one before, whatever its task. */
  #deadlineMs({ entry, kind, session }: GrantedLease): number {
    const lapsed = this.#membership.bySession(session)!.recentOutcomes.lapsedTrials;
    return this.#timesOf(entry).deadlineMs(kind === "trial" ? lapsed : entry.expirations);
  }

  #aloneDeadlineMs({ entry }: GrantedLease): number {
    return this.#timesOf(entry).aloneDeadlineMs(entry.expirations);
  }

  get #phase(): RunPhase {
    if (this.#over && this.#trainer.step === this.#schedule.totalSteps) return "finished";
    if (this.#over || this.#stop) return "stopping";
    return this.#membership.connected.length === 0 ? "waiting" : "training";
  }
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(ms < 10_000 ? 1 : 0)} s`;
}
