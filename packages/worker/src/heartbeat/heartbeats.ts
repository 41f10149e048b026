/**
 * A worker's signs of life. They go over NATS; the session's own go over its stream while NATS is away, and now and
 * then in any case, for the coordinator may have lost NATS while we have not.
 */
import { heartbeatSubject, heartbeatToBytes, type NatsLink, type WorkerHeartbeat } from "@mzsr/shared";

export interface HeartbeatOptions {
  readonly run: string;
  readonly worker: string;
  /** Seconds between heartbeats, as the coordinator asked. */
  readonly seconds: number;
  /** Heartbeats of silence after which the coordinator gives a worker up. */
  readonly patience: number;
  readonly nats: Pick<NatsLink, "publish"> | undefined;
  /** Makes the next heartbeat. */
  readonly read: () => WorkerHeartbeat;
}

export class Heartbeats {
  readonly #options: HeartbeatOptions;
  readonly #subject: string;
  readonly #longestStreamSilence: number;
  readonly #timer: NodeJS.Timeout;
  #published = false;
  #streamSilence = 0;

  /** Sends the first one now. */
  constructor(options: HeartbeatOptions) {
    this.#options = options;
    this.#subject = heartbeatSubject(options.run, options.worker);
    this.#longestStreamSilence = Math.max(1, Math.floor(options.patience / 2));
    this.#timer = setInterval(() => this.beat(), options.seconds * 1000);
    this.#timer.unref();
    this.beat();
  }

  /** Publishes a heartbeat, if NATS is there. */
  beat(): void {
    const { nats, read } = this.#options;
    const heartbeat = heartbeatToBytes(read());
    this.#published = nats?.publish(this.#subject, heartbeat) ?? false;
  }

  /** Whether a heartbeat that the session wants to send is to go over the stream. */
  goesOverStream(): boolean {
    this.#streamSilence++;
    if (this.#published && this.#streamSilence < this.#longestStreamSilence) return false;
    this.#streamSilence = 0;
    return true;
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}
