/**
 * Who is in the cluster, since when and why: the workers by name, their sessions, their silence and their recentOutcomes.
 * It decides nothing about tasks.
 *
 * A name is a worker's place in the cluster; an incarnation is one process that takes it. Recent outcomes and quarantine are the
 * incarnation's. What the name remembers is how often it was quarantined, so that a broken machine whose worker is started
 * again and again does not begin with a clean record each time: a new process whose predecessor's quarantine is not over
 * is let in on trial (recentOutcomes.ts), and one failure there is a quarantine twice as long as the last.
 */
import type { WorkerState } from "@mzsr/shared";
import type { SessionId, WorkerHello } from "./events.js";
import {
  newRecentOutcomes,
  noteConfirmed,
  noteFailure,
  noteLapsedTrial,
  noteResult,
  noteUnanswered,
  type RecentOutcomes,
  type Trial,
} from "./recent-outcomes.js";

/** Time between two heartbeats of a worker. */
export const HEARTBEAT_SECONDS = 1;

/** The first quarantine lasts so many times the patience for a silent worker; each further one twice as long … */
const FIRST_QUARANTINE = 6;
/** … up to this many times the first. A name that has been without one for that long begins anew. */
const LONGEST_QUARANTINE = 64;

/** Weight of the newest task in a worker's usual time. */
const NEWEST_SHARE = 0.2;

/** Departed workers that are remembered, for the status. */
const REMEMBERED_DEPARTED = 100;

export interface Member {
  readonly worker: string;
  hello: WorkerHello;
  state: WorkerState;
  /** Why it is in this state. */
  reason: string;
  sinceMs: number;
  /** The open stream; `undefined` while it has none. */
  session: SessionId | undefined;
  lastHeardMs: number;
  tasksDone: number;
  tasksFailed: number;
  secondsPerTask: number | undefined;
  /** Steps whose parameters its session has been sent. */
  readonly parametersSent: Set<number>;
  /** Of the present incarnation, or the last one. */
  recentOutcomes: RecentOutcomes;
  /** Of the name, over its incarnations. */
  quarantines: number;
  quarantinedUntilMs: number;
  /** The incarnation that was quarantined last. */
  quarantinedIncarnation: string | undefined;
  /** The refusal told last, so that a worker which keeps knocking does not fill the event log. */
  recordedRefusal: string | undefined;
}

export type JoinDecision =
  | { readonly joined: true; readonly member: Member; readonly replacedSession: SessionId | undefined }
  | { readonly joined: false; readonly reason: string; readonly firstTime: boolean };

export class Membership {
  readonly #silenceMs: number;
  readonly #byName = new Map<string, Member>();
  readonly #bySession = new Map<SessionId, Member>();

  /** @param patience heartbeats of silence after which a worker is lost */
  constructor(patience: number) {
    this.#silenceMs = patience * HEARTBEAT_SECONDS * 1000;
  }

  get all(): Iterable<Member> {
    return this.#byName.values();
  }

  /** Members with an open stream, in the order in which they first came. */
  get connected(): Member[] {
    return [...this.#byName.values()].filter(({ session }) => session !== undefined);
  }

  /** Connected members that stay. */
  get active(): Member[] {
    return this.connected.filter(({ state }) => state === "active");
  }

  /** Those who may be given tasks that somebody waits for: all but those on trial, or all where nobody else is there. */
  get eligible(): Member[] {
    const { active } = this;
    const trusted = active.filter(({ recentOutcomes }) => recentOutcomes.trial === undefined);
    return trusted.length > 0 ? trusted : active;
  }

  /** Those who may only be given copies of what others compute. */
  get onTrial(): Member[] {
    const { active } = this;
    const onTrial = active.filter(({ recentOutcomes }) => recentOutcomes.trial !== undefined);
    return onTrial.length < active.length ? onTrial : [];
  }

  byName(worker: string): Member | undefined {
    return this.#byName.get(worker);
  }

  bySession(session: SessionId): Member | undefined {
    return this.#bySession.get(session);
  }

  /**
   * A worker introduces itself. The same process may replace its own session, of whose end the coordinator has not heard
   * yet. Another one under a name in use is refused until the name is free: its worker has left, or has been silent for
   * the patience. So two processes with one name never take each other's tasks, and one that was killed and started again
   * waits for no longer than that.
   */
  join(session: SessionId, hello: WorkerHello, nowMs: number): JoinDecision {
    const known = this.#byName.get(hello.worker);
    const rejection = known && validateJoin(known, hello, nowMs);
    if (known && rejection !== undefined) {
      const firstTime = known.recordedRefusal !== rejection;
      known.recordedRefusal = rejection;
      return { joined: false, reason: rejection, firstTime };
    }
    const replacedSession = known?.session;
    if (replacedSession !== undefined) this.#bySession.delete(replacedSession);
    const member = known ?? newMember(hello, nowMs);
    if (hello.incarnation !== member.hello.incarnation) beginRecentOutcomes(member, nowMs);
    member.hello = hello;
    member.session = session;
    member.lastHeardMs = nowMs;
    member.parametersSent.clear();
    member.recordedRefusal = undefined;
    enter(member, "active", presence(member), nowMs);
    this.#byName.set(hello.worker, member);
    this.#bySession.set(session, member);
    return { joined: true, member, replacedSession };
  }

  /** The member's stream is gone. Its name, its record and its sentence stay. */
  leave(member: Member, state: "lost" | "gone" | "quarantined", reason: string, nowMs: number): void {
    if (member.session !== undefined) this.#bySession.delete(member.session);
    member.session = undefined;
    enter(member, state, reason, nowMs);
    this.#forgetOldest();
  }

  /** The member has said goodbye: it finishes what it has. */
  drain(member: Member, reason: string, nowMs: number): void {
    enter(member, "draining", reason, nowMs);
  }

  /** Connected members from which nothing has been heard for the whole patience. */
  silent(nowMs: number): Member[] {
    return this.connected.filter(({ lastHeardMs }) => nowMs - lastHeardMs >= this.#silenceMs);
  }

  /** A result was admitted. True when the member's trial is over. */
  answered(member: Member, nowMs: number): boolean {
    return noteResult(member.recentOutcomes) && this.#trusted(member, nowMs);
  }

  /** Another worker has computed the same result as this one. True when the member's trial is over. */
  confirmed(member: Member, nowMs: number): boolean {
    return noteConfirmed(member.recentOutcomes) && this.#trusted(member, nowMs);
  }

  /** A result counts or is an opinion, `seconds` after its lease began. */
  taskDone(member: Member, seconds: number): void {
    member.tasksDone++;
    const before = member.secondsPerTask ?? seconds;
    member.secondsPerTask = before + NEWEST_SHARE * (seconds - before);
  }

  /** A task failed by the worker's fault. True when that has happened too often. */
  taskFailed(member: Member): boolean {
    member.tasksFailed++;
    return noteFailure(member.recentOutcomes);
  }

  /** A lease was overtaken or ran out of time. True when the member is on trial from now on. */
  unanswered(member: Member, nowMs: number): boolean {
    if (!noteUnanswered(member.recentOutcomes)) return false;
    if (member.state === "active") enter(member, "active", presence(member), nowMs);
    return true;
  }

  /** A copy given on trial ran out of time. True when that has happened too often. */
  trialLapsed(member: Member): boolean {
    return noteLapsedTrial(member.recentOutcomes);
  }

  /** Shuts an incarnation out, for twice as long as the last time. Its stream is to be closed. Returns the duration in seconds. */
  quarantine(member: Member, reason: string, nowMs: number): number {
    const firstMs = FIRST_QUARANTINE * this.#silenceMs;
    if (nowMs - member.quarantinedUntilMs > LONGEST_QUARANTINE * firstMs) member.quarantines = 0;
    const durationMs = firstMs * Math.min(2 ** member.quarantines, LONGEST_QUARANTINE);
    member.quarantines++;
    member.quarantinedUntilMs = nowMs + durationMs;
    member.quarantinedIncarnation = member.hello.incarnation;
    member.recentOutcomes = newRecentOutcomes();
    this.leave(member, "quarantined", reason, nowMs);
    return durationMs / 1000;
  }

  /** Lets back those whose quarantine is over; they may join again. */
  reinstate(nowMs: number): Member[] {
    const free = [...this.all].filter((member) => member.state === "quarantined" && member.quarantinedUntilMs <= nowMs);
    for (const member of free) enter(member, "gone", "its quarantine is over; it may join again", nowMs);
    return free;
  }

  /** When a worker's silence or a quarantine will be too long, in ms. */
  *attentionMs(): Generator<number> {
    for (const { session, state, lastHeardMs, quarantinedUntilMs } of this.all) {
      if (session !== undefined) yield lastHeardMs + this.#silenceMs;
      if (state === "quarantined") yield quarantinedUntilMs;
    }
  }

  /** The coordinator itself was away for `ms`: what nobody could hear is no silence. */
  discountPause(ms: number): void {
    for (const member of this.connected) member.lastHeardMs += ms;
  }

  #trusted(member: Member, nowMs: number): true {
    if (member.state === "active") enter(member, "active", presence(member), nowMs);
    return true;
  }

  #forgetOldest(): void {
    const departed = [...this.all].filter(({ state }) => state === "lost" || state === "gone");
    if (departed.length <= REMEMBERED_DEPARTED) return;
    departed.sort((a, b) => a.sinceMs - b.sinceMs);
    this.#byName.delete(departed[0]!.worker);
  }
}

function validateJoin(known: Member, hello: WorkerHello, nowMs: number): string | undefined {
  if (known.quarantinedIncarnation === hello.incarnation && nowMs < known.quarantinedUntilMs) {
    const until = new Date(known.quarantinedUntilMs).toISOString();
    return known.state === "quarantined" ? `quarantined until ${until}: ${known.reason}` : `quarantined until ${until}`;
  }
  if (known.session !== undefined && known.hello.incarnation !== hello.incarnation) {
    const way = "this one comes in when that one has left; if both shall compute, give one of them another name";
    return `a worker named ${known.worker} is connected from ${known.hello.host} already: ${way}`;
  }
  return undefined;
}

/** A new process takes the name. */
function beginRecentOutcomes(member: Member, nowMs: number): void {
  const trial: Trial | undefined = nowMs < member.quarantinedUntilMs ? "successor" : undefined;
  member.recentOutcomes = newRecentOutcomes(trial);
}

/** Why a connected member is there, and what it may do. */
function presence({ recentOutcomes }: Member): string {
  switch (recentOutcomes.trial) {
    case undefined:
      return "connected";
    case "unanswered":
      return "on trial: it did not answer its last tasks in time; a result ends that";
    case "successor":
      return "on trial: its name is in quarantine; a result that somebody confirms ends that";
  }
}

function newMember(hello: WorkerHello, nowMs: number): Member {
  return {
    worker: hello.worker,
    hello,
    state: "active",
    reason: "connected",
    sinceMs: nowMs,
    session: undefined,
    lastHeardMs: nowMs,
    tasksDone: 0,
    tasksFailed: 0,
    secondsPerTask: undefined,
    parametersSent: new Set(),
    recentOutcomes: newRecentOutcomes(),
    quarantines: 0,
    quarantinedUntilMs: Number.NEGATIVE_INFINITY,
    quarantinedIncarnation: undefined,
    recordedRefusal: undefined,
  };
}

function enter(member: Member, state: WorkerState, reason: string, nowMs: number): void {
  member.state = state;
  member.reason = reason;
  member.sinceMs = nowMs;
}
