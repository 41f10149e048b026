/**
 * Carries out what the session decides (connect, send, compute, leave) and tells it what happened. The decisions are in
 * worker-session.ts, which touches neither sockets nor clocks.
 */
import { performance } from "node:perf_hooks";
import { messageOf } from "@mzsr/mzsr";
import type { Task, Welcome, WorkerToCoordinator } from "@mzsr/shared";
import { type ConnectionOptions, GrpcConnection } from "./grpc-connection.js";
import type { WorkerEffect, WorkerEvent, WorkerSession } from "./worker-session.js";

/** What the session needs of its process. */
export interface SessionHandlers {
  /** Where to connect this time. */
  readonly target: () => Promise<ConnectionOptions>;
  /** Begins to compute; the answer comes as an event. */
  readonly compute: (effect: Extract<WorkerEffect, { type: "compute" }>) => void;
  readonly prepare: (task: Task) => void;
  readonly abandon: (lease: string) => void;
  readonly connected: () => void;
  readonly welcomed: (welcome: Welcome) => void;
  /** The stream is gone, could not be had, or was refused; whether it will be tried again. */
  readonly disconnected: (reason: string, triesAgain: boolean) => void;
  /** Whether a heartbeat that is due goes over the stream. */
  readonly streamHeartbeat: () => boolean;
  readonly ended: (reason: string, ok: boolean) => void;
}

export class SessionShell {
  readonly #session: WorkerSession;
  readonly #handlers: SessionHandlers;
  readonly #events: WorkerEvent[] = [];
  #handling = false;
  #connection: GrpcConnection | undefined;
  /** Counts attempts, so that one that was overtaken is not heard any more. */
  #attempt = 0;
  #timer: NodeJS.Timeout | undefined;
  #ended = false;

  constructor(session: WorkerSession, handlers: SessionHandlers) {
    this.#session = session;
    this.#handlers = handlers;
  }

  /** The open connection, for images. */
  get connection(): GrpcConnection | undefined {
    return this.#connection;
  }

  /** Takes in what happened; in order, also when it happens while another event is dealt with. */
  handle(event: WorkerEvent): void {
    this.#events.push(event);
    if (this.#handling || this.#ended) return;
    this.#handling = true;
    try {
      for (let next = this.#events.shift(); next !== undefined; next = this.#events.shift()) {
        for (const effect of this.#session.handle(next, nowMs())) this.#carryOut(effect);
      }
    } finally {
      this.#handling = false;
    }
    this.#schedule();
  }

  /** Stops at once, without a word to the coordinator. */
  close(): void {
    this.#ended = true;
    clearTimeout(this.#timer);
    this.#dropConnection("stopped");
  }

  #carryOut(effect: WorkerEffect): void {
    switch (effect.type) {
      case "connect":
        void this.#connect();
        break;
      case "connected":
        this.#handlers.connected();
        break;
      case "welcomed":
        this.#handlers.welcomed(effect.welcome);
        break;
      case "disconnected":
        this.#handlers.disconnected(effect.reason, effect.triesAgain);
        break;
      case "send":
        this.#send(effect.message);
        break;
      case "sendResult":
        this.#sendResult(effect.message);
        break;
      case "compute":
        this.#handlers.compute(effect);
        break;
      case "prepare":
        this.#handlers.prepare(effect.task);
        break;
      case "abandon":
        this.#handlers.abandon(effect.lease);
        break;
      case "closeStream":
        this.#dropConnection("closed by the worker");
        break;
      case "exit":
        this.#ended = true;
        clearTimeout(this.#timer);
        this.#handlers.ended(effect.reason, effect.ok);
        break;
    }
  }

  async #connect(): Promise<void> {
    const attempt = ++this.#attempt;
    const current = () => attempt === this.#attempt && !this.#ended;
    const report = (event: WorkerEvent) => {
      if (current()) this.handle(event);
    };
    try {
      const target = await this.#handlers.target();
      if (!current()) return;
      this.#connection = new GrpcConnection(target, {
        connected: () => report({ type: "connected" }),
        message: report,
        closed: (reason) => report({ type: "disconnected", reason }),
      });
    } catch (error) {
      report({ type: "disconnected", reason: messageOf(error) });
    }
  }

  #send(message: WorkerToCoordinator): void {
    if (message.type === "heartbeat" && !this.#handlers.streamHeartbeat()) return;
    this.#connection?.send(message);
  }

  #sendResult(message: WorkerToCoordinator): void {
    const connection = this.#connection;
    connection?.send(message, () => {
      if (this.#connection === connection) this.handle({ type: "sent" });
    });
  }

  #dropConnection(reason: string): void {
    this.#attempt++;
    this.#connection?.close(reason);
    this.#connection = undefined;
  }

  #schedule(): void {
    clearTimeout(this.#timer);
    const wake = this.#session.nextWakeMs();
    if (this.#ended || wake === undefined) return;
    this.#timer = setTimeout(() => this.handle({ type: "tick" }), Math.max(0, wake - nowMs()));
  }
}

/** Milliseconds since 1970 that never go back. */
function nowMs(): number {
  return performance.timeOrigin + performance.now();
}
