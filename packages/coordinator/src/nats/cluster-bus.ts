/** The coordinator's side of NATS: hears heartbeats, tells events, answers for its status. Nothing waits for it. */

import { messageOf } from "@mzsr/mzsr";
import {
  ANY_STATUS_SUBJECT,
  type ClusterStatus,
  eventSubject,
  heartbeatFromBytes,
  heartbeatSubject,
  type NatsLink,
  type NatsMessage,
  type RunEventRecord,
  statusSubject,
  statusToBytes,
  type WorkerHeartbeat,
} from "@mzsr/shared";

export interface ClusterBusOptions {
  readonly run: string;
  readonly link: NatsLink;
  readonly status: () => ClusterStatus;
  readonly onHeartbeat: (heartbeat: WorkerHeartbeat) => void;
  /** Told of messages that make no sense. */
  readonly onMalformed: (reason: string) => void;
}

export class ClusterBus {
  readonly #options: ClusterBusOptions;
  readonly #unsubscribe: readonly (() => void)[];

  constructor(options: ClusterBusOptions) {
    this.#options = options;
    this.#unsubscribe = [
      options.link.subscribe(heartbeatSubject(options.run), (message) => this.#hear(message)),
      // For those who ask for this run, and for those who ask every run.
      ...[statusSubject(options.run), ANY_STATUS_SUBJECT].map((subject) =>
        options.link.subscribe(subject, (message) => this.#answer(message)),
      ),
    ];
  }

  /** Publishes an event, if NATS is there. */
  publish(event: RunEventRecord): void {
    this.#options.link.publish(eventSubject(this.#options.run, event.kind), Buffer.from(JSON.stringify(event)));
  }

  close(): void {
    for (const unsubscribe of this.#unsubscribe) unsubscribe();
  }

  #hear(message: NatsMessage): void {
    try {
      const heartbeat = heartbeatFromBytes(message.data);
      const own = message.subject === heartbeatSubject(this.#options.run, heartbeat.worker);
      if (own) this.#options.onHeartbeat(heartbeat);
      else this.#options.onMalformed(`a heartbeat of ${heartbeat.worker} came on ${message.subject}`);
    } catch (thrown) {
      this.#options.onMalformed(messageOf(thrown));
    }
  }

  #answer(message: NatsMessage): void {
    message.respond(statusToBytes(this.#options.status()));
  }
}
