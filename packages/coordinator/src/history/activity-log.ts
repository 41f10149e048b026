/**
 * Who worked when, for the page's timelines: the share of each worker's slots that were busy, sampled from the status
 * and averaged over spans, for a fixed stretch of the past.
 */
import type { ActivityColumns, ClusterStatus } from "@mzsr/shared";

export interface ActivityLogOptions {
  /** Length of a span in seconds. */
  readonly spanSeconds?: number;
  /** Spans that are kept. */
  readonly spans?: number;
}

interface Lane {
  /** Sum and number of samples, by span number. */
  readonly spans: Map<number, { sum: number; samples: number }>;
}

/** Ten minutes in spans of five seconds, when nothing else is said. */
export class ActivityLog {
  readonly #spanSeconds: number;
  readonly #spans: number;
  readonly #lanes = new Map<string, Lane>();
  #newest = 0;

  constructor({ spanSeconds = 5, spans = 120 }: ActivityLogOptions = {}) {
    this.#spanSeconds = spanSeconds;
    this.#spans = spans;
  }

  /** Takes a sample of every connected worker. */
  sample(status: Pick<ClusterStatus, "workers">, nowMs: number): void {
    const span = this.#spanAt(nowMs);
    this.#newest = Math.max(this.#newest, span);
    for (const worker of status.workers) {
      if (worker.state === "lost" || worker.state === "gone") continue;
      const lane = this.#lanes.get(worker.worker) ?? { spans: new Map() };
      this.#lanes.set(worker.worker, lane);
      const { sum, samples } = lane.spans.get(span) ?? { sum: 0, samples: 0 };
      const busy = worker.slots > 0 ? Math.min(1, worker.busySlots / worker.slots) : 0;
      lane.spans.set(span, { sum: sum + busy, samples: samples + 1 });
    }
    this.#forget();
  }

  /** The stretch that ends now, oldest span first. */
  columns(nowMs: number): ActivityColumns {
    const last = this.#spanAt(nowMs);
    const first = last - this.#spans + 1;
    const workers = [...this.#lanes].map(([worker, lane]) => ({
      worker,
      busy: Array.from({ length: this.#spans }, (_, offset) => mean(lane.spans.get(first + offset))),
    }));
    return { from: first * this.#spanSeconds * 1000, spanSeconds: this.#spanSeconds, workers };
  }

  #spanAt(nowMs: number): number {
    return Math.floor(nowMs / (this.#spanSeconds * 1000));
  }

  #forget(): void {
    const oldest = this.#newest - this.#spans;
    for (const [worker, lane] of this.#lanes) {
      for (const span of lane.spans.keys()) if (span <= oldest) lane.spans.delete(span);
      if (lane.spans.size === 0) this.#lanes.delete(worker);
    }
  }
}

function mean(span: { sum: number; samples: number } | undefined): number | null {
  return span === undefined ? null : Math.round((1000 * span.sum) / span.samples) / 1000;
}
