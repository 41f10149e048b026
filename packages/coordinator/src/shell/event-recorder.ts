/** Writes what happens down, and says it to everybody who listens: run folder, page, NATS, metrics, log. */
import type { RunEvent } from "@mzsr/shared";
import type { Logger } from "pino";
import type { EventStream } from "../http/event-stream.js";
import type { CoordinatorMetrics } from "../metrics/metrics.js";
import type { ClusterBus } from "../nats/cluster-bus.js";
import { type RunFolder, recordOf } from "../run/run-folder.js";
import type { LiveRun } from "./live-run.js";

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

  constructor(listeners: EventListeners) {
    this.#listeners = listeners;
  }

  record(event: RunEvent): void {
    const { folder, live, stream, bus, metrics, logger, nowMs } = this.#listeners;
    const record = recordOf(event, nowMs());
    folder.recordEvent(record);
    live.happened(record);
    stream.event(record);
    bus?.publish(record);
    metrics.happened(event);
    const { reason, ...facts } = event;
    logger[WARNINGS.has(event.kind) ? "warn" : "info"](facts, reason);
  }
}
