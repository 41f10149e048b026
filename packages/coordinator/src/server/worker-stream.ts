/**
 * One worker's stream: whatever arrives becomes an event of the core, and exactly one `disconnected` follows a join,
 * however the stream ends.
 */
import type { ServerDuplexStream } from "@grpc/grpc-js";
import { messageOf } from "@mzsr/mzsr";
import {
  type CoordinatorToWorker,
  type Hello,
  PROTOCOL_VERSION,
  tokenShown,
  type WorkerMessage__Output,
  type WorkerToCoordinator,
  workerMessageFromProto,
} from "@mzsr/shared";
import type { CoordinatorEvent, SessionId } from "../core/events.js";
import { allowMessages, endAfterStatus, messageRead, resetStream } from "./grpc-frames.js";
import { Outbox } from "./outbox.js";
import { type Outgoing, outgoing } from "./outgoing.js";
import type { OnRefusal } from "./refusal.js";
import type { Tokens } from "./tokens.js";

/** A peer that has not introduced itself by then is let go. */
const HELLO_TIMEOUT_MS = 10_000;

/** A worker that has not taken a message by then does not read: its stream is given up. */
const PATIENCE_MS = 60_000;

export type SessionCall = ServerDuplexStream<WorkerMessage__Output, unknown>;

export interface SessionRules {
  /** Largest message that a worker may send once it is known, in bytes. */
  readonly largestMessage: number;
  /** Steps whose parameters may be in use at once: one more than the pipeline is deep. */
  readonly keptSteps: number;
  /** How long a worker may take to read one message, in milliseconds; a minute by default. */
  readonly patienceMs?: number;
  /** Where a worker's metrics are to be found, from what it says and where it connects from; what it says by default. */
  readonly scrapeAddress?: (told: string, peer: string) => string;
  readonly deliver: (event: CoordinatorEvent) => void;
  /** Told of peers that never became a worker, and why. */
  readonly onRefusal: OnRefusal;
  /** Told of each peer that became a worker. */
  readonly onWelcome?: (peer: string) => void;
  /** The stream is over. */
  readonly onClosed: (session: SessionId) => void;
}

export class WorkerStream {
  readonly id: SessionId;
  readonly #call: SessionCall;
  readonly #rules: SessionRules;
  readonly #outbox: Outbox;
  readonly #stopWaitingForHello: () => void;
  /** Called when the message on its way has left; undefined while none is. */
  #stopWaitingForRead: (() => void) | undefined;
  #hello: Hello | undefined;
  #open = true;

  constructor(id: SessionId, call: SessionCall, rules: SessionRules) {
    this.id = id;
    this.#call = call;
    this.#rules = rules;
    this.#outbox = new Outbox(rules.keptSteps);
    this.#stopWaitingForHello = later(HELLO_TIMEOUT_MS, () => this.#refuse("no hello arrived", true));
    call.on("data", (wire: WorkerMessage__Output) => {
      this.#receive(wire);
      // What was delivered has been handled by now: whoever keeps a gradient has a copy.
      messageRead(call);
    });
    // A connection that breaks may look the same as a stream that the worker closed.
    call.on("end", () => this.#finish("its stream ended"));
    call.on("error", (error) => this.#lost(messageOf(error)));
    call.on("cancelled", () => this.#lost("the connection was lost"));
  }

  /** Sends a message, or lets it wait while another is on its way. */
  send(message: CoordinatorToWorker | Outgoing): void {
    if (!this.#open) return;
    const tooMuch = this.#outbox.push("frame" in message ? message : outgoing(message));
    if (tooMuch === undefined) this.#sendNext();
    else this.#giveUp(tooMuch);
  }

  /** Ends the stream from this side; what was sent before still arrives. */
  close(reason: string): void {
    this.#finish(reason);
  }

  /** Ends the session where its token is good no more. */
  recheck(tokens: Tokens): void {
    const refusal = tokens.refusal(tokenShown(this.#call.metadata), false);
    if (refusal === undefined || !this.#open) return;
    this.#rules.onRefusal(refusal.reason, this.#call.getPeer(), refusal.kind);
    this.send({ type: "refusal", reason: refusal.reason, retry: false });
    this.#finish(refusal.reason);
  }

  #receive(wire: WorkerMessage__Output): void {
    if (!this.#open) return;
    const message = this.#read(wire);
    if (message === undefined) return;
    if (this.#hello === undefined) this.#introduce(message);
    else this.#deliver(message, this.#hello);
  }

  /** A result that cannot be read fails its leases, so that it is counted; other junk ends the stream. */
  #read(wire: WorkerMessage__Output): WorkerToCoordinator | undefined {
    try {
      return workerMessageFromProto(wire);
    } catch (thrown) {
      const reason = messageOf(thrown);
      const leases = leasesIn(wire);
      if (this.#hello === undefined || leases.length === 0) this.#refuse(reason, true);
      for (const lease of this.#open ? leases : []) {
        this.#rules.deliver({ type: "failure", session: this.id, lease, reason: `unusable result: ${reason}` });
      }
      return undefined;
    }
  }

  #introduce(message: WorkerToCoordinator): void {
    this.#stopWaitingForHello();
    const rejection = validateHello(message);
    if (message.type !== "hello" || rejection !== undefined) {
      this.#refuse(rejection ?? "no hello", false);
    } else {
      this.#hello = message;
      allowMessages(this.#call, this.#rules.largestMessage);
      this.#rules.onWelcome?.(this.#call.getPeer());
      const metricsAddress = this.#scrapeAddress(message.metricsAddress);
      this.#rules.deliver({ type: "join", session: this.id, hello: { ...identityOf(message), metricsAddress } });
    }
  }

  #scrapeAddress(told: string): string {
    return this.#rules.scrapeAddress?.(told, this.#call.getPeer()) ?? told;
  }

  #deliver(message: WorkerToCoordinator, { worker, incarnation }: Hello): void {
    const { deliver } = this.#rules;
    const session = this.id;
    switch (message.type) {
      case "hello":
        this.#refuse("a second hello arrived on one stream", true);
        break;
      case "result": {
        const { type, ...result } = message;
        deliver({ type, session, result });
        break;
      }
      case "group": {
        const { type, ...group } = message;
        deliver({ type, session, group });
        break;
      }
      case "failure":
        deliver({ type: "failure", session, lease: message.lease, reason: message.reason });
        break;
      case "goodbye":
        deliver({ type: "goodbye", session, reason: message.reason });
        break;
      case "heartbeat":
        deliver({ type: "heartbeat", worker, incarnation, via: "stream", busySlots: message.busySlots });
        break;
    }
  }

  #refuse(reason: string, retry: boolean): void {
    if (!this.#open) return;
    if (this.#hello === undefined) this.#rules.onRefusal(reason, this.#call.getPeer(), "hello");
    this.send({ type: "refusal", reason, retry });
    this.#finish(reason);
  }

  /** One message at a time: what waits in the outbox can be overtaken. A session that is over ends after its last one. */
  #sendNext(): void {
    if (this.#stopWaitingForRead !== undefined) return;
    const next = this.#outbox.shift();
    if (next === undefined) {
      if (!this.#open) this.#end();
      return;
    }
    const { patienceMs = PATIENCE_MS } = this.#rules;
    const stop = later(patienceMs, () => this.#giveUp(`a message was on its way for ${patienceMs / 1000} s`));
    this.#stopWaitingForRead = stop;
    this.#call.write(next.frame, () => {
      if (this.#stopWaitingForRead !== stop) return;
      this.#nothingOnItsWay();
      this.#sendNext();
    });
  }

  #end(): void {
    this.#call.end();
    endAfterStatus(this.#call);
  }

  /** The worker does not read: its stream would never end by itself. */
  #giveUp(why: string): void {
    this.#lost(`it reads too slowly: ${why}`);
    resetStream(this.#call);
  }

  /** Nothing can be sent any more. */
  #lost(reason: string): void {
    this.#outbox.clear();
    this.#nothingOnItsWay();
    this.#finish(reason);
  }

  #nothingOnItsWay(): void {
    this.#stopWaitingForRead?.();
    this.#stopWaitingForRead = undefined;
  }

  #finish(reason: string): void {
    if (!this.#open) return;
    this.#open = false;
    this.#stopWaitingForHello();
    this.#sendNext();
    this.#rules.onClosed(this.id);
    if (this.#hello !== undefined) this.#rules.deliver({ type: "disconnected", session: this.id, reason });
  }
}

/** The leases that a message says it answers. */
function leasesIn({ result, group }: WorkerMessage__Output): string[] {
  const leases = result ? [result.lease] : (group?.tasks ?? []).map(({ lease }) => lease);
  return leases.filter((lease) => lease !== "");
}

/**
 * Calls `late` after `ms`, and after what has arrived by then: a loop that was busy runs its timers before it reads its
 * sockets. Returns what calls it off.
 */
function later(ms: number, late: () => void): () => void {
  let over = false;
  const timer = setTimeout(() => setImmediate(() => !over && late()), ms);
  return () => {
    over = true;
    clearTimeout(timer);
  };
}

/** Why a first message does not open a session. */
function validateHello(message: WorkerToCoordinator): string | undefined {
  if (message.type !== "hello") return `the first message was ${message.type}, not hello`;
  if (message.protocolVersion !== PROTOCOL_VERSION) {
    const versions = `speaks protocol ${message.protocolVersion}, this coordinator ${PROTOCOL_VERSION}`;
    return `${message.worker} ${versions}; use the same version of mzsr on both`;
  }
  return undefined;
}

function identityOf({ worker, incarnation, backend, slots, host, version }: Hello) {
  return { worker, incarnation, backend, slots, host, version };
}
