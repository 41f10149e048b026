/**
 * A connection to NATS that may be away: it never blocks the start, comes back by itself, and says when it changes.
 * Both coordinator and worker go on without it, so nothing here throws because NATS is not there.
 */

import { knownReason, messageOf, RunError } from "@mzsr/mzsr";
import { ErrorCode, type Msg, type NatsConnection, RequestStrategy, type Subscription } from "nats";
import { openNats } from "./nats-late-writes.js";
import { connectionOptions, INBOX, type NatsOptions } from "./nats-options.js";

const FIRST_RETRY_MS = 250;
const LONGEST_RETRY_MS = 5_000;

/**
 * A message that arrived; `respond` answers a request. An answer goes to an inbox and nowhere else: who asks names its subject,
 * and must not have us publish where it may not itself.
 */
export interface NatsMessage {
  readonly subject: string;
  readonly data: Uint8Array;
  respond(data: Uint8Array): void;
}

/** Told when the connection comes and goes, once per change. */
export type NatsListener = (connected: boolean, reason: string) => void;

interface Interest {
  readonly subject: string;
  readonly handler: (message: NatsMessage) => void;
  active: Subscription | undefined;
}

export class NatsLink {
  readonly #options: NatsOptions;
  readonly #name: string;
  readonly #random: () => number;
  readonly #listeners = new Set<NatsListener>();
  readonly #interests = new Set<Interest>();
  readonly #finished: Promise<void>;
  #connection: NatsConnection | undefined;
  #connected = false;
  #lastReason = "";
  #closing = false;
  #wake: (() => void) | undefined;

  /** Use `connectNats`. */
  constructor(options: NatsOptions, name: string, listener: NatsListener | undefined, random: () => number) {
    this.#options = options;
    this.#name = name;
    this.#random = random;
    if (listener !== undefined) this.#listeners.add(listener);
    this.#finished = this.#stayConnected();
  }

  get connected(): boolean {
    return this.#connected;
  }

  /** Publishes if NATS is there; false when it is not, and the message is dropped: old heartbeats help nobody. */
  publish(subject: string, data: Uint8Array): boolean {
    if (!this.#connected || this.#connection === undefined) return false;
    try {
      this.#connection.publish(subject, data);
      return true;
    } catch {
      return false;
    }
  }

  /** Hears `subject` (wildcards allowed) now and after every reconnect, until the returned function is called. */
  subscribe(subject: string, handler: (message: NatsMessage) => void): () => void {
    const interest: Interest = { subject, handler, active: undefined };
    this.#interests.add(interest);
    if (this.#connection !== undefined) this.#activate(interest, this.#connection);
    return () => {
      this.#interests.delete(interest);
      interest.active?.unsubscribe();
    };
  }

  /** @throws RunError when NATS is away or nobody answers within `timeoutMs` */
  async request(subject: string, data: Uint8Array, timeoutMs: number): Promise<Uint8Array> {
    if (this.#connection === undefined) throw new RunError(`NATS is not connected: ${this.#servers()}`);
    try {
      return (await this.#connection.request(subject, data, { timeout: timeoutMs })).data;
    } catch (error) {
      throw new RunError(`no answer on NATS subject ${subject} (${messageOf(error)})`);
    }
  }

  /**
   * All answers: those that come within `pauseMs` of the one before, the first within `timeoutMs`. None when nobody listens.
   * @throws RunError when NATS is away
   */
  async requestAll(subject: string, data: Uint8Array, timeoutMs: number, pauseMs: number): Promise<Uint8Array[]> {
    if (this.#connection === undefined) throw new RunError(`NATS is not connected: ${this.#servers()}`);
    const answers: Uint8Array[] = [];
    const options = { strategy: RequestStrategy.JitterTimer, jitter: pauseMs, maxWait: timeoutMs };
    try {
      for await (const answer of await this.#connection.requestMany(subject, data, options)) answers.push(answer.data);
    } catch (error) {
      if ((error as { code?: unknown }).code === ErrorCode.NoResponders) return answers;
      throw new RunError(`no answer on NATS subject ${subject} (${messageOf(error)})`);
    }
    return answers;
  }

  onChange(listener: NatsListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Resolves when connected. @throws RunError after `timeoutMs`, or when the link is closed first */
  whenConnected(timeoutMs: number): Promise<void> {
    if (this.#connected) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const settle = (action: () => void) => {
        clearTimeout(timer);
        stop();
        action();
      };
      const fail = () =>
        reject(new RunError(`no NATS server answers at ${this.#servers()} (${this.#lastReason || "timeout"})`));
      const timer = setTimeout(() => settle(fail), timeoutMs);
      const stop = this.onChange((connected) => connected && settle(resolve));
    });
  }

  /** Resolves when what was published has reached the server. */
  async flush(): Promise<void> {
    if (this.#connected) await this.#connection?.flush();
  }

  async close(): Promise<void> {
    this.#closing = true;
    this.#wake?.();
    await this.#connection?.close();
    await this.#finished;
  }

  async #stayConnected(): Promise<void> {
    // Outside the loop: a file that cannot be read is the user's mistake and must not be retried quietly.
    const options = connectionOptions(this.#options, this.#name);
    for (let attempt = 0; !this.#closing; attempt++) {
      try {
        const connection = await openNats(options);
        attempt = 0;
        await this.#live(connection);
      } catch (error) {
        this.#change(false, messageOf(error));
        await this.#pause(attempt);
      }
    }
  }

  /** One connection's life: the library reconnects within it; it ends when closed, by us or by an error. */
  async #live(connection: NatsConnection): Promise<void> {
    if (this.#closing) return connection.close();
    this.#connection = connection;
    for (const interest of this.#interests) this.#activate(interest, connection);
    this.#change(true, `connected to ${connection.getServer()}`);
    void this.#follow(connection);
    const ended = await connection.closed();
    this.#connection = undefined;
    this.#change(false, ended === undefined ? "closed" : messageOf(ended));
  }

  async #follow(connection: NatsConnection): Promise<void> {
    for await (const status of connection.status()) {
      if (status.type === "disconnect") this.#change(false, `lost ${knownReason(status.data) ?? this.#servers()}`);
      if (status.type === "reconnect")
        this.#change(true, `connected to ${knownReason(status.data) ?? this.#servers()}`);
    }
  }

  #activate(interest: Interest, connection: NatsConnection): void {
    interest.active = connection.subscribe(interest.subject, {
      callback: (error, message) => {
        if (error === null) interest.handler(asMessage(message));
      },
    });
  }

  #change(connected: boolean, reason: string): void {
    const news = connected !== this.#connected || (!connected && reason !== this.#lastReason);
    this.#connected = connected;
    this.#lastReason = reason;
    if (news && !this.#closing) for (const listener of [...this.#listeners]) listener(connected, reason);
  }

  #pause(attempt: number): Promise<void> {
    if (this.#closing) return Promise.resolve();
    const longest = Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** attempt);
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, longest * (0.5 + 0.5 * this.#random()));
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  #servers(): string {
    return this.#options.servers.join(", ");
  }
}

/**
 * Starts connecting to NATS and returns at once.
 * @param name what the server's monitoring calls this client
 * @param listener told of every change, the first failure included
 * @throws InputError when a key, credentials or certificate file cannot be read
 */
export function connectNats(
  options: NatsOptions,
  name: string,
  listener?: NatsListener,
  random: () => number = Math.random,
): NatsLink {
  connectionOptions(options, name);
  return new NatsLink(options, name, listener, random);
}

function asMessage(message: Msg): NatsMessage {
  return {
    subject: message.subject,
    data: message.data,
    respond: (data) => {
      if (message.reply?.startsWith(INBOX) === true) message.respond(data);
    },
  };
}
