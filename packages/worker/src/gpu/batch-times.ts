import type { BatchTimes } from "@mzsr/engine-webgpu";
import type { BatchTelemetry } from "../compute/computer.js";

/** Batches that are averaged over. */
const KEPT = 32;

/** How one batch went, in seconds. */
export interface BatchRecord extends BatchTimes {
  readonly tasks: number;
  /** That the GPU had room for it, and its data were not all there. */
  readonly data: number;
}

/** Averages over the newest batches. */
export class RecentBatches {
  #records: BatchRecord[] = [];

  add(record: BatchRecord): void {
    this.#records = [...this.#records, record].slice(-KEPT);
  }

  /** Undefined before the first batch. */
  get telemetry(): BatchTelemetry | undefined {
    if (this.#records.length === 0) return undefined;
    const sum = (of: (record: BatchRecord) => number) => this.#records.reduce((total, each) => total + of(each), 0);
    const all = sum(({ data, upload, compute, readBack }) => data + upload + compute + readBack);
    const share = (of: (record: BatchRecord) => number) => (all > 0 ? sum(of) / all : 0);
    return {
      tasks: sum(({ tasks }) => tasks) / this.#records.length,
      shares: {
        data: share(({ data }) => data),
        upload: share(({ upload }) => upload),
        compute: share(({ compute }) => compute),
        readBack: share(({ readBack }) => readBack),
      },
    };
  }
}
