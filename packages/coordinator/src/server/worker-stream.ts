/**
 * One worker's stream: whatever arrives becomes an event of the core, and exactly one `disconnected` follows a join,
 * however the stream ends.
 */
import type { ServerDuplexStream } from "@grpc/grpc-js";
import { messageOf } from "@mzsr/mzsr";
import {
  type CoordinatorToWorker,
  coordinatorMessageToProto,
  type Hello,
  PROTOCOL_VERSION,
  type WorkerMessage__Output,
  type WorkerToCoordinator,
  workerMessageFromProto,
} from "@mzsr/shared";
import type { CoordinatorEvent, SessionId } from "../core/events.js";
import { EncodedMessage } from "./outgoing.js";
import { tokenMatches } from "./token.js";

/** A peer that has not introduced itself by then is let go. */
const HELLO_TIMEOUT_MS = 10_000;

export type SessionCall = ServerDuplexStream<WorkerMessage__Output, unknown>;

export interface SessionRules {
  /** The shared secret, where one is asked for. */
  readonly token: string | undefined;
  readonly deliver: (event: CoordinatorEvent) => void;
  /** Told of peers that never became a worker, and why. */
  readonly onRefusal: (reason: string, peer: string) => void;
  /** The stream is over. */
  readonly onClosed: (session: SessionId) => void;
}

export class WorkerStream {
  readonly id: SessionId;
  readonly #call: SessionCall;
  readonly #rules: SessionRules;
  readonly #helloTimer: NodeJS.Timeout;
  #hello: Hello | undefined;
  #open = true;

  constructor(id: SessionId, call: SessionCall, rules: SessionRules) {
    this.id = id;
    this.#call = call;
    this.#rules = rules;
    this.#helloTimer = setTimeout(() => this.#refuse("no hello arrived", true), HELLO_TIMEOUT_MS);
    call.on("data", (wire: WorkerMessage__Output) => this.#receive(wire));
    // A connection that breaks may look the same as a stream that the worker closed.
    call.on("end", () => this.#finish("its stream ended"));
    call.on("error", (error) => this.#finish(messageOf(error)));
    call.on("cancelled", () => this.#finish("the connection was lost"));
  }

  send(message: CoordinatorToWorker | EncodedMessage): void {
    if (!this.#open) return;
    this.#call.write(message instanceof EncodedMessage ? message : coordinatorMessageToProto(message));
  }

  /** Ends the stream from this side; what was sent before still arrives. */
  close(reason: string): void {
    this.#finish(reason);
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
    clearTimeout(this.#helloTimer);
    const rejection = validateHello(message, this.#rules.token);
    if (message.type !== "hello" || rejection !== undefined) {
      this.#refuse(rejection ?? "no hello", false);
    } else {
      this.#hello = message;
      this.#rules.deliver({ type: "join", session: this.id, hello: withoutSecrets(message) });
    }
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
    if (this.#hello === undefined) this.#rules.onRefusal(reason, this.#call.getPeer());
    this.send({ type: "refusal", reason, retry });
    this.#finish(reason);
  }

  #finish(reason: string): void {
    if (!this.#open) return;
    this.#open = false;
    clearTimeout(this.#helloTimer);
    this.#call.end();
    this.#rules.onClosed(this.id);
    if (this.#hello !== undefined) this.#rules.deliver({ type: "disconnected", session: this.id, reason });
  }
}

/** The leases that a message says it answers. */
function leasesIn({ result, group }: WorkerMessage__Output): string[] {
  const leases = result ? [result.lease] : (group?.tasks ?? []).map(({ lease }) => lease);
  return leases.filter((lease) => lease !== "");
}

/** Why a first message does not open a session. */
function validateHello(message: WorkerToCoordinator, token: string | undefined): string | undefined {
  if (message.type !== "hello") return `the first message was ${message.type}, not hello`;
  if (message.protocolVersion !== PROTOCOL_VERSION) {
    const versions = `speaks protocol ${message.protocolVersion}, this coordinator ${PROTOCOL_VERSION}`;
    return `${message.worker} ${versions}; use the same version of mzsr on both`;
  }
  if (!tokenMatches(message.token, token)) return "the token is not this cluster's; give the worker the coordinator's";
  return undefined;
}

function withoutSecrets({ worker, incarnation, backend, slots, host, version, metricsAddress }: Hello) {
  return { worker, incarnation, backend, slots, host, version, metricsAddress };
}
