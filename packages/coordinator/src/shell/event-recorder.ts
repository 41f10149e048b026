/** Writes what happens down, and says it to everybody who listens: run folder, page, NATS, metrics, log. */
import type { RunEvent } from "@mzsr/shared";
import type { Logger } from "pino";
import type { EventStream } from "../http/event-stream.js";
import type { CoordinatorMetrics } from "../metrics/metrics.js";
import type { ClusterBus } from "../nats/cluster-bus.js";
import { type RunFolder, recordOf } from "../run/run-folder.js";
import type { LiveRun } from "./live-run.js";
import { RefusalLog } from "./refusal-log.js";

export interface EventListeners {
  readonly folder: RunFolder;
  readonly live: LiveRun;
  readonly stream: EventStream;
  readonly bus: ClusterBus | undefined;
  readonly metrics: CoordinatorMetrics;
  readonly logger: Logger;
  readonly nowMs: () => number;
}

/** Event kinds that ask for somebody's attention. */
const WARNINGS: ReadonlySet<RunEvent["kind"]> = new Set(["lost", "refusal", "quarantine"]);

export class EventRecorder {
  readonly #listeners: EventListeners;
  readonly #refusals = new RefusalLog((event) => this.#write(event));

  constructor(listeners: EventListeners) {
    this.#listeners = listeners;
  }

  record(event: RunEvent): void {
    this.#listeners.metrics.happened(event);
    // One with a step is of a worker's result, and a worker that goes on like this is quarantined.
    if (event.kind === "refusal" && event.step === undefined) this.#refusals.refused(event);
    else this.#write(event);
  }

  /** Writes down what waits. */
  close(): void {
    this.#refusals.close();
  }

  #write(event: RunEvent): void {
    const { folder, live, stream, bus, logger, nowMs } = this.#listeners;
    const record = recordOf(event, nowMs());
    folder.recordEvent(record);
    live.happened(record);
    stream.event(record);
    bus?.publish(record);
    const { reason, ...facts } = event;
    logger[WARNINGS.has(event.kind) ? "warn" : "info"](facts, reason);
  }
}
