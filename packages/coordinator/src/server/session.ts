/**
 * One worker's stream: whatever arrives becomes an event of the core, and exactly one `disconnected` follows a join,
 * however the stream ends.
 */
import type { ServerDuplexStream } from "@grpc/grpc-js";
import {
  type CoordinatorToWorker,
  coordinatorMessageToProto,
  type Hello,
  messageOf,
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

export class WorkerSession {
  readonly id: SessionId;
  readonly #call: SessionCall;
  readonly #rules: SessionRules;
  readonly #helloTimer: NodeJS.Timeout;
  #worker: string | undefined;
  #open = true;

  constructor(id: SessionId, call: SessionCall, rules: SessionRules) {
    this.id = id;
    this.#call = call;
    this.#rules = rules;
    this.#helloTimer = setTimeout(() => this.#refuse("no hello arrived", true), HELLO_TIMEOUT_MS);
    call.on("data", (wire: WorkerMessage__Output) => this.#receive(wire));
    call.on("end", () => this.#finish("the worker closed the stream"));
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
    let message: WorkerToCoordinator;
    try {
      message = workerMessageFromProto(wire);
    } catch (thrown) {
      return this.#junk(wire, messageOf(thrown));
    }
    if (this.#worker === undefined) return this.#introduce(message);
    this.#deliver(message, this.#worker);
  }

  #introduce(message: WorkerToCoordinator): void {
    clearTimeout(this.#helloTimer);
    if (message.type !== "hello") return this.#refuse(`the first message was ${message.type}, not hello`, false);
    if (message.protocolVersion !== PROTOCOL_VERSION) {
      const versions = `speaks protocol ${message.protocolVersion}, this coordinator ${PROTOCOL_VERSION}`;
      return this.#refuse(`${message.worker} ${versions}; use the same version of mzsr on both`, false);
    }
    if (!tokenMatches(message.token, this.#rules.token)) {
      return this.#refuse("the token is not this cluster's; give the worker the coordinator's --token", false);
    }
    this.#worker = message.worker;
    this.#rules.deliver({ type: "join", session: this.id, hello: withoutSecrets(message) });
  }

  #deliver(message: WorkerToCoordinator, worker: string): void {
    const session = this.id;
    switch (message.type) {
      case "hello":
        return this.#refuse("a second hello arrived on one stream", true);
      case "result":
        return this.#rules.deliver({ type: "result", session, lease: message.lease, outcome: message.outcome });
      case "failure":
        return this.#rules.deliver({ type: "failure", session, lease: message.lease, reason: message.reason });
      case "goodbye":
        return this.#rules.deliver({ type: "goodbye", session, reason: message.reason });
      case "heartbeat":
        return this.#rules.deliver({ type: "heartbeat", worker, via: "stream", busySlots: message.busySlots });
    }
  }

  /** A result that cannot be read fails its lease, so that it is counted; other junk ends the stream. */
  #junk(wire: WorkerMessage__Output, reason: string): void {
    const lease = wire.result?.lease;
    if (this.#worker === undefined || lease === undefined || lease === "") return this.#refuse(reason, true);
    this.#rules.deliver({ type: "failure", session: this.id, lease, reason: `unusable result: ${reason}` });
  }

  #refuse(reason: string, retry: boolean): void {
    if (!this.#open) return;
    if (this.#worker === undefined) this.#rules.onRefusal(reason, this.#call.getPeer());
    this.send({ type: "refusal", reason, retry });
    this.#finish(reason);
  }

  #finish(reason: string): void {
    if (!this.#open) return;
    this.#open = false;
    clearTimeout(this.#helloTimer);
    this.#call.end();
    this.#rules.onClosed(this.id);
    if (this.#worker !== undefined) this.#rules.deliver({ type: "disconnected", session: this.id, reason });
  }
}

function withoutSecrets({ worker, incarnation, backend, slots, host, version, metricsAddress }: Hello) {
  return { worker, incarnation, backend, slots, host, version, metricsAddress };
}
