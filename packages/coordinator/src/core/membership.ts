/**
 * Who is in the cluster, since when and why: the workers by name, their sessions, their silence and their conduct.
 * It decides nothing about tasks.
 */
import type { WorkerState } from "@mzsr/shared";
import type { SessionId, WorkerHello } from "./events.js";

/** Time between two heartbeats of a worker. */
export const HEARTBEAT_SECONDS = 1;

/** So many failures … */
const STRIKES = 3;
/** … among so many tasks in a row put a worker into quarantine. */
const CONDUCT_WINDOW = 10;

/** The first quarantine lasts so many times the patience for a silent worker; each further one twice as long … */
const FIRST_QUARANTINE = 6;
/** … up to this many times the first. */
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
  /** Newest outcomes, true for a failure. */
  readonly conduct: boolean[];
  quarantines: number;
  quarantinedUntilMs: number;
  /** An incarnation that another process of the same name has replaced. */
  replaced: string | undefined;
  /** The refusal told last, so that a worker which keeps knocking does not fill the event log. */
  toldRefusal: string | undefined;
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

  /** Connected members that may be given tasks. */
  get active(): Member[] {
    return this.connected.filter(({ state }) => state === "active");
  }

  byName(worker: string): Member | undefined {
    return this.#byName.get(worker);
  }

  bySession(session: SessionId): Member | undefined {
    return this.#bySession.get(session);
  }

  /**
   * A worker introduces itself. A newer session of a name replaces the older one. Where two processes use one name,
   * the newer process stays and the older is refused for as long as the newer is there, so that they do not take turns
   * in throwing each other out.
   */
  join(session: SessionId, hello: WorkerHello, nowMs: number): JoinDecision {
    const known = this.#byName.get(hello.worker);
    const objection = known && objectionToJoin(known, hello, nowMs);
    if (known && objection !== undefined) {
      const firstTime = known.toldRefusal !== objection;
      known.toldRefusal = objection;
      return { joined: false, reason: objection, firstTime };
    }
    const replacedSession = known?.session;
    if (replacedSession !== undefined) this.#bySession.delete(replacedSession);
    const member = known ?? newMember(hello, nowMs);
    if (hello.incarnation !== member.hello.incarnation) {
      member.replaced = replacedSession === undefined ? undefined : member.hello.incarnation;
    }
    member.hello = hello;
    member.session = session;
    member.lastHeardMs = nowMs;
    member.parametersSent.clear();
    member.toldRefusal = undefined;
    enter(member, "active", "connected", nowMs);
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

  /** A task was computed, `seconds` after its lease began. */
  taskDone(member: Member, seconds: number): void {
    member.tasksDone++;
    remember(member, false);
    const before = member.secondsPerTask ?? seconds;
    member.secondsPerTask = before + NEWEST_SHARE * (seconds - before);
  }

  /** A task failed by the worker's fault. True when that has happened too often. */
  taskFailed(member: Member): boolean {
    member.tasksFailed++;
    remember(member, true);
    return member.conduct.filter((failed) => failed).length >= STRIKES;
  }

  /** Shuts a member out, for twice as long as the last time. Its stream is to be closed. Returns the duration in seconds. */
  quarantine(member: Member, reason: string, nowMs: number): number {
    const times = Math.min(2 ** member.quarantines, LONGEST_QUARANTINE);
    const durationMs = FIRST_QUARANTINE * this.#silenceMs * times;
    member.quarantines++;
    member.quarantinedUntilMs = nowMs + durationMs;
    member.conduct.length = 0;
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
  excuse(ms: number): void {
    for (const member of this.connected) member.lastHeardMs += ms;
  }

  #forgetOldest(): void {
    const departed = [...this.all].filter(({ state }) => state === "lost" || state === "gone");
    if (departed.length <= REMEMBERED_DEPARTED) return;
    departed.sort((a, b) => a.sinceMs - b.sinceMs);
    this.#byName.delete(departed[0]!.worker);
  }
}

function objectionToJoin(known: Member, hello: WorkerHello, nowMs: number): string | undefined {
  if (known.state === "quarantined" && nowMs < known.quarantinedUntilMs) {
    const until = new Date(known.quarantinedUntilMs).toISOString();
    return `quarantined until ${until}: ${known.reason}`;
  }
  if (known.session !== undefined && known.replaced === hello.incarnation) {
    return `another worker named ${known.worker} joined later, from ${known.hello.host}: give one of them another name`;
  }
  return undefined;
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
    conduct: [],
    quarantines: 0,
    quarantinedUntilMs: Number.NEGATIVE_INFINITY,
    replaced: undefined,
    toldRefusal: undefined,
  };
}

function remember(member: Member, failed: boolean): void {
  member.conduct.push(failed);
  if (member.conduct.length > CONDUCT_WINDOW) member.conduct.shift();
}

function enter(member: Member, state: WorkerState, reason: string, nowMs: number): void {
  member.state = state;
  member.reason = reason;
  member.sinceMs = nowMs;
}
