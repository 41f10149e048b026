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
import { Eligibility } from "./eligibility.js";
import type { SessionId, WorkerHello } from "./events.js";
import type { Member } from "./member.js";
import { byOrder, Moments } from "./moments.js";
import {
  newRecentOutcomes,
  noteConfirmed,
  noteFailure,
  noteLapsedTrial,
  noteResult,
  noteUnanswered,
  type Trial,
} from "./recent-outcomes.js";

export type { Member } from "./member.js";

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

export type JoinDecision =
  | { readonly joined: true; readonly member: Member; readonly replacedSession: SessionId | undefined }
  | { readonly joined: false; readonly reason: string; readonly firstTime: boolean };

export class Membership {
  readonly #silenceMs: number;
  readonly #byName = new Map<string, Member>();
  readonly #bySession = new Map<SessionId, Member>();
  readonly #heard = new Moments<Member>();
  readonly #quarantined = new Moments<Member>();
  readonly #departed = new Moments<Member>();
  readonly #eligibility = new Eligibility();
  #came = 0;

  /** @param patience heartbeats of silence after which a worker is lost */
  constructor(patience: number) {
    this.#silenceMs = patience * HEARTBEAT_SECONDS * 1000;
  }

  get all(): Iterable<Member> {
    return this.#byName.values();
  }

  /** Members with an open stream, in the order in which they first came. */
  get connected(): Member[] {
    return [...this.#bySession.values()].sort(byOrder);
  }

  get connectedCount(): number {
    return this.#bySession.size;
  }

  /** Who may be given tasks. */
  get eligibility(): Eligibility {
    return this.#eligibility;
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
    const member = known ?? newMember(hello, this.#came++, nowMs);
    if (hello.incarnation !== member.hello.incarnation) beginRecentOutcomes(member, nowMs);
    member.hello = hello;
    member.session = session;
    member.lastHeardMs = nowMs;
    member.parametersSent.clear();
    member.recordedRefusal = undefined;
    this.#byName.set(hello.worker, member);
    this.#bySession.set(session, member);
    this.#enter(member, "active", presence(member), nowMs);
    return { joined: true, member, replacedSession };
  }

  /** The member's stream is gone. Its name, its record and its sentence stay. */
  leave(member: Member, state: "lost" | "gone" | "quarantined", reason: string, nowMs: number): void {
    if (member.session !== undefined) this.#bySession.delete(member.session);
    member.session = undefined;
    this.#enter(member, state, reason, nowMs);
    this.#forgetOldest();
  }

  /** The member has said goodbye: it finishes what it has. */
  drain(member: Member, reason: string, nowMs: number): void {
    this.#enter(member, "draining", reason, nowMs);
  }

  /** A message of the member came. */
  heard(member: Member, nowMs: number): void {
    if (member.session === undefined) return;
    member.lastHeardMs = nowMs;
    this.#heard.set(member, nowMs);
  }

  /** The member's session is sent the parameters before `step`. False when it has been before. */
  sendParameters({ parametersSent }: Member, step: number): boolean {
    if (parametersSent.has(step)) return false;
    parametersSent.add(step);
    return true;
  }

  /** Connected members from which nothing has been heard for the whole patience, in the order in which they first came. */
  silent(nowMs: number): Member[] {
    return [...this.#heard.until((ms) => nowMs - ms >= this.#silenceMs)].sort(byOrder);
  }

  /** A result was admitted. True when the member's trial is over. */
  answered(member: Member, nowMs: number): boolean {
    return this.#noted(member, noteResult(member.recentOutcomes), nowMs);
  }

  /** Another worker has computed the same result as this one. True when the member's trial is over. */
  confirmed(member: Member, nowMs: number): boolean {
    return this.#noted(member, noteConfirmed(member.recentOutcomes), nowMs);
  }

  /** A result counts or is an opinion, `seconds` after its lease began. */
  taskDone(member: Member, seconds: number): void {
    member.tasksDone++;
    const before = member.secondsPerTask ?? seconds;
    member.secondsPerTask = before + NEWEST_SHARE * (seconds - before);
    this.#eligibility.update(member);
  }

  /** A task failed by the worker's fault. True when that has happened too often. */
  taskFailed(member: Member): boolean {
    member.tasksFailed++;
    const tooOften = noteFailure(member.recentOutcomes);
    this.#eligibility.update(member);
    return tooOften;
  }

  /** A lease was overtaken or ran out of time. True when the member is on trial from now on. */
  unanswered(member: Member, nowMs: number): boolean {
    return this.#noted(member, noteUnanswered(member.recentOutcomes), nowMs);
  }

  /** A copy given on trial ran out of time. True when that has happened too often. */
  trialLapsed(member: Member): boolean {
    const tooOften = noteLapsedTrial(member.recentOutcomes);
    this.#eligibility.update(member);
    return tooOften;
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
    const free = [...this.#quarantined.until((ms) => ms <= nowMs)].sort(byOrder);
    for (const member of free) this.#enter(member, "gone", "its quarantine is over; it may join again", nowMs);
    return free;
  }

  /** The first moment after `nowMs` at which a worker's silence or a quarantine will be too long; infinite when there is none. */
  attentionMs(nowMs: number): number {
    const heardMs = this.#heard.next((ms) => ms + this.#silenceMs <= nowMs);
    const quarantinedMs = this.#quarantined.next((ms) => ms <= nowMs);
    const silentMs = heardMs === undefined ? Number.POSITIVE_INFINITY : heardMs + this.#silenceMs;
    return Math.min(silentMs, quarantinedMs ?? Number.POSITIVE_INFINITY);
  }

  /** The coordinator itself was away for `ms`: what nobody could hear is no silence. */
  discountPause(ms: number): void {
    for (const member of this.#bySession.values()) member.lastHeardMs += ms;
    this.#heard.shift(ms);
  }

  /** @param changed its trial has begun or is over */
  #noted(member: Member, changed: boolean, nowMs: number): boolean {
    if (changed && member.state === "active") this.#enter(member, "active", presence(member), nowMs);
    else this.#eligibility.update(member);
    return changed;
  }

  #enter(member: Member, state: WorkerState, reason: string, nowMs: number): void {
    member.state = state;
    member.reason = reason;
    member.sinceMs = nowMs;
    this.#heard.set(member, member.session === undefined ? undefined : member.lastHeardMs);
    this.#quarantined.set(member, state === "quarantined" ? member.quarantinedUntilMs : undefined);
    this.#departed.set(member, state === "lost" || state === "gone" ? nowMs : undefined);
    this.#eligibility.update(member);
  }

  #forgetOldest(): void {
    if (this.#departed.size <= REMEMBERED_DEPARTED) return;
    const [oldest] = this.#departed.until(() => true);
    this.#departed.set(oldest!, undefined);
    this.#byName.delete(oldest!.worker);
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

function newMember(hello: WorkerHello, order: number, nowMs: number): Member {
  return {
    worker: hello.worker,
    order,
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
