/**
 * A worker's side of the session, without sockets, clocks and threads: what happened goes in with the time, what to do
 * comes out.
 *
 *     waiting ──▶ connecting ──▶ greeting ──▶ active ──▶ leaving ──▶ exited
 *        ▲             │             │           │
 *        └─────────────┴─────────────┴───────────┘   stream lost, refused for now, coordinator stops: jittered backoff
 *
 * A lease lives as long as the stream that brought it. When the stream is lost, whatever is being computed for it is
 * abandoned, and the coordinator gives the tasks out again; a task computed twice gives the same bytes, so nothing is
 * lost but time.
 *
 * One result is on its way at a time. What is finished meanwhile waits, and goes out as one sum where there is enough of it
 * and the coordinator allows it: so groups form where tasks are computed together, or where the stream is what limits.
 */
import {
  type CoordinatorToWorker,
  GroupSums,
  type Hello,
  type Lease,
  type LeasedOutcome,
  MAX_MESSAGE_BYTES,
  resultOf,
  type Task,
  type Welcome,
  type WorkerToCoordinator,
} from "@mzsr/shared";

/** The first wait before a new attempt is drawn from 0 to this; each further one from twice as much … */
const BACKOFF_BASE_MS = 200;
/** … up to this. */
const BACKOFF_CAP_MS = 2_000;

/** A coordinator that does not answer a Hello for this long is not there, whatever the socket says. */
const WELCOME_TIMEOUT_MS = 10_000;

/**
 * From so many results on their sum is shorter than they are: 16 bytes an element, where each gradient has 4. The sum of
 * fewer would only make work.
 */
const GROUP_FROM = 5;

export type WorkerEvent =
  /** The stream is open. */
  | { readonly type: "connected" }
  /** The stream, or the attempt to open it, has failed or was closed from the other side. */
  | { readonly type: "disconnected"; readonly reason: string }
  | CoordinatorToWorker
  /** Tasks that were computed together, or one. */
  | { readonly type: "computed"; readonly outcomes: readonly LeasedOutcome[] }
  | { readonly type: "computeFailed"; readonly lease: string; readonly reason: string }
  /** The stream has taken the last result (with others of its step, where it was a group), and would take another. */
  | { readonly type: "sent" }
  /** Leave after what is being computed (SIGTERM); a second time: leave now. */
  | { readonly type: "leaveRequested"; readonly reason: string }
  | { readonly type: "tick" };

export type WorkerEffect =
  | { readonly type: "connect" }
  /** There is a coordinator at the other end. */
  | { readonly type: "connected" }
  /** The coordinator takes the worker in. */
  | { readonly type: "welcomed"; readonly welcome: Welcome }
  /** The stream is gone, could not be had, or was refused; whether it will be tried again. */
  | { readonly type: "disconnected"; readonly reason: string; readonly triesAgain: boolean }
  | { readonly type: "send"; readonly message: WorkerToCoordinator }
  /** Send a result; answer with `sent`. */
  | { readonly type: "sendResult"; readonly message: Extract<WorkerToCoordinator, { type: "result" | "group" }> }
  /** Compute a task; answer with `computed` or `computeFailed`. */
  | { readonly type: "compute"; readonly lease: string; readonly task: Task; readonly theta: Float32Array }
  /** This task will probably come: make its data where nothing else is to be done. There is no answer. */
  | { readonly type: "prepare"; readonly task: Task }
  /** Nobody waits for this task any more: its slot is wanted back, and its outcome is not. */
  | { readonly type: "abandon"; readonly lease: string }
  /** Close the stream after what was sent; nothing of it is to be reported any more. */
  | { readonly type: "closeStream" }
  /** The worker is done; `ok` is false when it was refused for good. */
  | { readonly type: "exit"; readonly reason: string; readonly ok: boolean };

export type WorkerSessionState = "waiting" | "connecting" | "greeting" | "active" | "leaving" | "exited";

export interface WorkerSessionOptions {
  readonly hello: Hello;
  /** Uniform in [0, 1): jitter, which nothing but waiting times depends on. */
  readonly random: () => number;
  /** Results that are added up before they are sent, at least. */
  readonly groupFrom?: number;
}

/** A lease from its arrival until its result is handed to the stream. */
interface RunningLease {
  readonly groupable: boolean;
}

/**
 * The session's state machine. Call `handle` with a tick at `nextWakeMs` (the first time at once: it connects). Events
 * of a stream must end with its `disconnected` or with the `closeStream` that asked for its end.
 */
export class WorkerSession {
  readonly #hello: Hello;
  readonly #random: () => number;
  readonly #groupFrom: number;
  readonly #groups = new GroupSums();
  /** Leases that are being computed, and those whose results wait. */
  readonly #running = new Map<string, RunningLease>();
  /** Results that wait for the stream, in the order in which they were computed. */
  #finished: LeasedOutcome[] = [];
  /** A result is on its way. */
  #sending = false;
  /** θ by step. */
  readonly #parameters = new Map<number, Float32Array>();
  #state: WorkerSessionState = "waiting";
  #effects: WorkerEffect[] = [];
  #failedAttempts = 0;
  #connections = 0;
  #reconnectMs = Number.NEGATIVE_INFINITY;
  #greetedMs = 0;
  #nextHeartbeatMs = 0;
  #welcome: Welcome | undefined;
  #leaveReason: string | undefined;

  constructor({ hello, random, groupFrom = GROUP_FROM }: WorkerSessionOptions) {
    this.#hello = hello;
    this.#random = random;
    this.#groupFrom = groupFrom;
  }

  get state(): WorkerSessionState {
    return this.#state;
  }

  /** Tasks that are being computed, or whose results wait for the stream. */
  get busySlots(): number {
    return this.#running.size;
  }

  /** Welcomes so far; each after the first was a reconnection. */
  get connections(): number {
    return this.#connections;
  }

  /** Takes in what happened. Returns what is to be done, in order. */
  handle(event: WorkerEvent, nowMs: number): WorkerEffect[] {
    this.#effects = [];
    if (this.#state === "exited") return this.#effects;
    this.#take(event, nowMs);
    this.#timePasses(nowMs);
    return this.#effects;
  }

  /** When to call `handle` with a tick at the latest; `undefined` when only events matter. */
  nextWakeMs(): number | undefined {
    switch (this.#state) {
      case "waiting":
        return this.#reconnectMs;
      case "greeting":
        return this.#greetedMs + WELCOME_TIMEOUT_MS;
      case "active":
      case "leaving":
        return this.#nextHeartbeatMs;
      case "connecting":
      case "exited":
        return undefined;
    }
  }

  #take(event: WorkerEvent, now: number): void {
    switch (event.type) {
      case "connected":
        this.#greet(now);
        break;
      case "disconnected":
        if (this.#state !== "waiting") this.#streamGone(event.reason, now);
        break;
      case "computed":
        this.#finished.push(...event.outcomes.filter(({ lease }) => this.#running.has(lease)));
        this.#sendResults(now);
        break;
      case "sent":
        this.#sending = false;
        this.#sendResults(now);
        break;
      case "computeFailed":
        this.#computeFailed(event.lease, event.reason, now);
        break;
      case "leaveRequested":
        this.#leave(event.reason, now);
        break;
      case "tick":
        break;
      default:
        if (this.#isOpen) this.#receive(event, now);
    }
  }

  get #isOpen(): boolean {
    return this.#state === "greeting" || this.#state === "active" || this.#state === "leaving";
  }

  #receive(message: CoordinatorToWorker, now: number): void {
    switch (message.type) {
      case "welcome":
        this.#welcomed(message, now);
        break;
      case "parameters":
        this.#keepParameters(message.step, message.theta);
        break;
      case "assign":
        for (const lease of message.leases) this.#begin(lease, now);
        break;
      case "announce":
        if (this.#state === "active") for (const task of message.tasks) this.#effects.push({ type: "prepare", task });
        break;
      case "cancel":
        for (const id of message.leases) this.#abandon(id);
        this.#exitWhenIdle();
        break;
      case "drain":
        if (message.finished) this.#exit(message.reason, true);
        else this.#backOff(now);
        break;
      case "refusal":
        this.#refused(message.reason, message.retry, now);
        break;
    }
  }

  #greet(now: number): void {
    if (this.#state !== "connecting") return;
    this.#state = "greeting";
    this.#greetedMs = now;
    this.#effects.push({ type: "connected" });
    this.#send({ type: "hello", ...this.#hello }, now);
  }

  #welcomed(welcome: Welcome, now: number): void {
    if (this.#state !== "greeting") return;
    this.#state = "active";
    this.#welcome = welcome;
    this.#failedAttempts = 0;
    this.#connections++;
    this.#nextHeartbeatMs = now + welcome.heartbeatSeconds * 1000;
    this.#effects.push({ type: "welcomed", welcome });
  }

  #refused(reason: string, retry: boolean, now: number): void {
    const triesAgain = retry && this.#state !== "leaving";
    this.#effects.push({ type: "disconnected", reason: `refused: ${reason}`, triesAgain });
    if (retry) this.#backOff(now);
    else this.#exit(reason, false);
  }

  /** Tasks start at most k steps back, so older parameters are never asked for again. */
  #keepParameters(step: number, theta: Float32Array): void {
    this.#parameters.set(step, theta);
    const newest = Math.max(...this.#parameters.keys());
    const oldest = newest - (this.#welcome?.configuration.cluster.pipeline ?? 0);
    for (const held of this.#parameters.keys()) if (held < oldest) this.#parameters.delete(held);
  }

  #begin({ id: lease, task, groupable }: Lease, now: number): void {
    if (this.#running.has(lease)) return;
    const theta = this.#parameters.get(task.parametersStep);
    if (this.#state === "leaving") this.#send({ type: "failure", lease, reason: "the worker is leaving" }, now);
    else if (!theta) {
      const reason = `the parameters before step ${task.parametersStep} have not arrived`;
      this.#send({ type: "failure", lease, reason }, now);
    } else {
      this.#running.set(lease, { groupable });
      this.#effects.push({ type: "compute", lease, task, theta });
    }
  }

  #computeFailed(lease: string, reason: string, now: number): void {
    if (!this.#running.delete(lease)) return;
    this.#send({ type: "failure", lease, reason }, now);
    this.#exitWhenIdle();
  }

  /** Sends the oldest result that waits, with all that it can be added up with. */
  #sendResults(now: number): void {
    if (this.#sending || this.#finished.length === 0) return;
    const [oldest] = this.#finished as [LeasedOutcome];
    const group = this.#groupWith(oldest);
    const sum = group.length >= Math.max(2, this.#groupFrom) ? this.#groups.add(group) : undefined;
    const sent = sum ? group : [oldest];
    this.#finished = this.#finished.filter((each) => !sent.includes(each));
    for (const { lease } of sent) this.#running.delete(lease);
    this.#sending = true;
    this.#heartbeatLater(now);
    const message = sum ? { type: "group" as const, ...sum } : { type: "result" as const, ...resultOf(oldest) };
    this.#effects.push({ type: "sendResult", message });
    this.#exitWhenIdle();
  }

  /** The results of a step that wait and may be added up, if the given one is among them and a message holds their sum. */
  #groupWith({ lease, outcome }: LeasedOutcome): LeasedOutcome[] {
    const tooLong = 2 * 8 * outcome.gradient.length > MAX_MESSAGE_BYTES / 2;
    if (tooLong || !this.#running.get(lease)!.groupable) return [];
    return this.#finished.filter(
      (each) => each.outcome.step === outcome.step && this.#running.get(each.lease)!.groupable,
    );
  }

  #abandon(lease: string): void {
    if (!this.#running.delete(lease)) return;
    const waiting = this.#finished.findIndex((each) => each.lease === lease);
    if (waiting >= 0) this.#finished.splice(waiting, 1);
    else this.#effects.push({ type: "abandon", lease });
  }

  #leave(reason: string, now: number): void {
    if (this.#state !== "active") {
      this.#exit(this.#leaveReason ?? reason, true);
      return;
    }
    this.#state = "leaving";
    this.#leaveReason = reason;
    this.#send({ type: "goodbye", reason }, now);
    this.#exitWhenIdle();
  }

  #exitWhenIdle(): void {
    if (this.#state === "leaving" && this.#running.size === 0) this.#exit(this.#leaveReason ?? "left", true);
  }

  #exit(reason: string, ok: boolean): void {
    this.#forgetLeases();
    if (this.#isOpen || this.#state === "connecting") this.#effects.push({ type: "closeStream" });
    this.#state = "exited";
    this.#effects.push({ type: "exit", reason, ok });
  }

  #streamGone(reason: string, now: number): void {
    this.#effects.push({ type: "disconnected", reason, triesAgain: this.#state !== "leaving" });
    this.#forgetLeases();
    if (this.#state === "leaving") {
      this.#state = "exited";
      this.#effects.push({ type: "exit", reason: `${this.#leaveReason}; ${reason}`, ok: true });
    } else {
      this.#wait(now);
    }
  }

  /** Closes the stream from this side and tries again later; one who was leaving anyway leaves. */
  #backOff(now: number): void {
    if (this.#state === "leaving") {
      this.#exit(this.#leaveReason ?? "left", true);
      return;
    }
    this.#forgetLeases();
    this.#effects.push({ type: "closeStream" });
    this.#wait(now);
  }

  /** Full jitter: workers that lost the same coordinator do not come back all at once. */
  #wait(now: number): void {
    const longest = Math.min(BACKOFF_CAP_MS, BACKOFF_BASE_MS * 2 ** Math.min(this.#failedAttempts, 30));
    this.#failedAttempts++;
    this.#state = "waiting";
    this.#reconnectMs = now + this.#random() * longest;
  }

  #forgetLeases(): void {
    for (const lease of [...this.#running.keys()]) this.#abandon(lease);
    this.#sending = false;
    this.#parameters.clear();
  }

  #timePasses(now: number): void {
    if (this.#state === "waiting" && now >= this.#reconnectMs) {
      this.#state = "connecting";
      this.#effects.push({ type: "connect" });
    } else if (this.#state === "greeting" && now - this.#greetedMs >= WELCOME_TIMEOUT_MS) {
      this.#backOff(now);
    } else if ((this.#state === "active" || this.#state === "leaving") && now >= this.#nextHeartbeatMs) {
      this.#send({ type: "heartbeat", sentAtMs: Math.floor(now), busySlots: this.#running.size }, now);
    }
  }

  #send(message: WorkerToCoordinator, now: number): void {
    this.#heartbeatLater(now);
    this.#effects.push({ type: "send", message });
  }

  /** Any message shows that the worker lives, so the next heartbeat is due a whole period later. */
  #heartbeatLater(now: number): void {
    if (this.#welcome) this.#nextHeartbeatMs = now + this.#welcome.heartbeatSeconds * 1000;
  }
}
