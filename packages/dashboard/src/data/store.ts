/** All that the page knows about one run, as signals, kept current from the coordinator. */
import type {
  ActivityColumns,
  ClusterStatus,
  MetricsColumns,
  PreviewImage,
  RunEventRecord,
  RunListing,
} from "@mzsr/shared";
import { type Signal, signal } from "@preact/signals";
import { Api, ApiError } from "./api.js";
import { openFeed } from "./feed.js";
import { withStep } from "./series.js";

/** Single steps that are appended before the curves are fetched again, downsampled. */
const MOST_APPENDED = 1400;
/** How often the curves are fetched again while their buckets hold several steps, and when they hold many. */
const METRICS_EVERY_MS = 4000;
const LONG_METRICS_EVERY_MS = 15_000;
const MANY_STEPS = 20;
const ACTIVITY_EVERY_MS = 5000;
const MOST_EVENTS = 500;

/** `still`: the run is over or nobody works on it, so nothing will change. */
export type Connection = "connecting" | "live" | "lost" | "still";

export class RunStore {
  readonly api: Api;
  readonly connection: Signal<Connection> = signal("connecting");
  /** Why there is nothing to show, when there is not. */
  readonly problem: Signal<string | undefined> = signal(undefined);
  readonly runs: Signal<readonly RunListing[]> = signal([]);
  readonly status: Signal<ClusterStatus | undefined> = signal(undefined);
  readonly metrics: Signal<MetricsColumns | undefined> = signal(undefined);
  readonly events: Signal<readonly RunEventRecord[]> = signal([]);
  readonly activity: Signal<ActivityColumns | undefined> = signal(undefined);
  readonly images: Signal<readonly PreviewImage[]> = signal([]);
  readonly #run: string | undefined;
  readonly #refreshMetrics = throttled(
    () => ((this.metrics.value?.bucketSteps ?? 1) < MANY_STEPS ? METRICS_EVERY_MS : LONG_METRICS_EVERY_MS),
    () => this.#load(this.metrics, this.api.metrics),
  );
  readonly #refreshActivity = throttled(
    () => ACTIVITY_EVERY_MS,
    () => this.#load(this.activity, this.api.activity),
  );

  /** @param run name of a run; the coordinator's own when undefined */
  constructor(run: string | undefined) {
    this.#run = run;
    this.api = new Api(run);
  }

  /** Fetches everything once and then, for a live run, follows the stream. */
  async start(): Promise<void> {
    await Promise.all([this.#refreshAll(), this.#load(this.runs, this.api.runs)]);
    const run = this.#run ?? this.status.value?.run;
    const listing = this.runs.value.find((each) => each.run === run);
    if (this.problem.value === undefined && listing !== undefined && !listing.live) this.connection.value = "still";
    else if (this.#run === undefined || listing?.live) this.#follow();
  }

  #follow(): void {
    openFeed({
      open: () => new EventSource("api/stream"),
      handlers: {
        status: (status) => this.#takeStatus(status),
        step: (step) => {
          const metrics = this.metrics.value;
          const longer = metrics && withStep(metrics, step, MOST_APPENDED);
          if (longer) this.metrics.value = longer;
          else this.#refreshMetrics();
        },
        event: (event) => {
          this.events.value = [...this.events.value, event].slice(-MOST_EVENTS);
        },
        preview: () => void this.#load(this.images, this.api.images),
      },
      onOpen: () => {
        const again = this.connection.value === "lost";
        this.connection.value = "live";
        this.problem.value = undefined;
        if (again || this.status.value === undefined) void this.#refreshAll();
      },
      onLost: () => {
        this.connection.value = "lost";
      },
      later: (run, ms) => setTimeout(run, ms),
      random: Math.random,
    });
  }

  #takeStatus(status: ClusterStatus): void {
    // Another run on the same address: nothing of the old one holds.
    if (this.status.value !== undefined && this.status.value.run !== status.run) location.reload();
    this.status.value = status;
    this.#refreshActivity();
  }

  async #refreshAll(): Promise<void> {
    await Promise.all([
      this.#load(this.status, this.api.status),
      this.#load(this.metrics, this.api.metrics),
      this.#load(this.events, this.api.events),
      this.#load(this.activity, this.api.activity),
      this.#load(this.images, this.api.images),
    ]);
  }

  /** A part that cannot be had stays as it was; only without a status is there nothing to show. */
  async #load<T>(into: Signal<T>, from: () => Promise<T>): Promise<void> {
    try {
      into.value = await from();
    } catch (error) {
      if ((into as unknown) !== this.status || this.status.value !== undefined) return;
      this.problem.value = error instanceof ApiError ? error.message : "The coordinator cannot be reached.";
    }
  }
}

/** Runs at once, then at most once in `everyMs()`, the last call never lost. */
function throttled(everyMs: () => number, run: () => unknown): () => void {
  let last = -Infinity;
  let waiting = false;
  return () => {
    if (waiting) return;
    const wait = Math.max(0, last + everyMs() - performance.now());
    waiting = true;
    setTimeout(() => {
      waiting = false;
      last = performance.now();
      run();
    }, wait);
  };
}
