/** The coordinator's side of NATS: hears heartbeats, tells events, answers for its status. Nothing waits for it. */

import { messageOf } from "@mzsr/mzsr";
import {
  ANY_STATUS_SUBJECT,
  type ClusterStatus,
  eventSubject,
  heartbeatFromBytes,
  heartbeatSubject,
  type LeaderRecord,
  leaderRecordToBytes,
  leaderSubject,
  type NatsLink,
  type NatsMessage,
  type RunEventRecord,
  statusSubject,
  statusToBytes,
  type WorkerHeartbeat,
} from "@mzsr/shared";
import type { HeartbeatGate } from "./heartbeat-gate.js";

/** How long a flood of heartbeats is not listened to: longer than one that a network held back takes to pass. */
const DEAF_MS = 10_000;

export interface ClusterBusOptions {
  readonly run: string;
  readonly link: NatsLink;
  readonly status: () => ClusterStatus;
  /** Which heartbeats are read. */
  readonly gate: Pick<HeartbeatGate, "judge">;
  /** The record of this coordinator while it leads, where others stand by. */
  readonly leader?: (() => LeaderRecord | undefined) | undefined;
  readonly onHeartbeat: (heartbeat: WorkerHeartbeat) => void;
  /** Told of messages that make no sense. */
  readonly onMalformed: (reason: string) => void;
  /** Told when heartbeats begin not to be listened to. */
  readonly onFlood: (reason: string) => void;
}

export class ClusterBus {
  readonly #options: ClusterBusOptions;
  readonly #unsubscribe: readonly (() => void)[];
  #deafen: (() => void) | undefined;
  #deaf: NodeJS.Timeout | undefined;

  constructor(options: ClusterBusOptions) {
    this.#options = options;
    this.#listen();
    this.#unsubscribe = [
      // For those who ask for this run, and for those who ask every run.
      ...[statusSubject(options.run), ANY_STATUS_SUBJECT].map((subject) =>
        options.link.subscribe(subject, (message) => this.#answer(message)),
      ),
      options.link.subscribe(leaderSubject(options.run), (message) => this.#answerWhoLeads(message)),
    ];
  }

  /** Publishes an event, if NATS is there. */
  publish(event: RunEventRecord): void {
    this.#options.link.publish(eventSubject(this.#options.run, event.kind), Buffer.from(JSON.stringify(event)));
  }

  close(): void {
    clearTimeout(this.#deaf);
    this.#deafen?.();
    for (const unsubscribe of this.#unsubscribe) unsubscribe();
  }

  #listen(): void {
    const { link, run } = this.#options;
    this.#deafen = link.subscribe(heartbeatSubject(run), (message) => this.#hear(message));
  }

  /** NATS keeps a flood from us while nobody listens; workers' streams carry their heartbeats meanwhile. */
  #shutOut(): void {
    if (this.#deafen === undefined) return;
    this.#deafen();
    this.#deafen = undefined;
    this.#options.onFlood(`more heartbeats than workers send: not listened to over NATS for ${DEAF_MS / 1000} s`);
    this.#deaf = setTimeout(() => this.#listen(), DEAF_MS);
  }

  #hear(message: NatsMessage): void {
    const verdict = this.#options.gate.judge(message.subject);
    if (verdict === "flood") this.#shutOut();
    if (verdict !== "read") return;
    try {
      const heartbeat = heartbeatFromBytes(message.data);
      const own = message.subject === heartbeatSubject(this.#options.run, heartbeat.worker);
      if (own) this.#options.onHeartbeat(heartbeat);
      else this.#options.onMalformed(`a heartbeat of ${heartbeat.worker} came on ${message.subject}`);
    } catch (thrown) {
      this.#options.onMalformed(messageOf(thrown));
    }
  }

  #answerWhoLeads(message: NatsMessage): void {
    const record = this.#options.leader?.();
    if (record !== undefined) message.respond(leaderRecordToBytes(record));
  }

  #answer(message: NatsMessage): void {
    message.respond(statusToBytes(this.#options.status()));
  }
}
