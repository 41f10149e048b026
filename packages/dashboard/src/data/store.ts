/** All that the page knows about one run, as signals, kept current from the coordinator. */
import type {
  ActivityColumns,
  ClusterStatus,
  MetricsColumns,
  PreviewImage,
  RunEventRecord,
  RunListing,
  ValidationSummary,
} from "@mzsr/shared";
import { type Signal, signal } from "@preact/signals";
import { Api, ApiError } from "./api.js";
import { withHeard } from "./event-list.js";
import { openFeed } from "./feed.js";
import { filesOf, loadPictures } from "./pictures.js";
import { withStep } from "./series.js";
import { areMany } from "./worker-table.js";

/** Single steps that are appended before the curves are fetched again, downsampled. */
const MOST_APPENDED = 1400;
/** How often the curves are fetched again while their buckets hold several steps, and when they hold many. */
const METRICS_EVERY_MS = 4000;
const LONG_METRICS_EVERY_MS = 15_000;
const MANY_STEPS = 20;
const ACTIVITY_EVERY_MS = 5000;
const MOST_EVENTS = 2000;
/** How long events are gathered, so that a thousand joins at once do not draw the page a thousand times. */
const GATHER_EVENTS_MS = 100;
/** How long a table may scroll on before the lanes that came into view are fetched. */
const WATCH_MS = 150;

/**
 * `over`: the run is finished and its coordinator has ended, or is about to; what is here is all that there will be.
 * `still`: nobody works on the run, so nothing will change.
 */
export type Connection = "connecting" | "live" | "lost" | "over" | "still";

export class RunStore {
  readonly api: Api;
  /** Of the run, as it was asked for; undefined for the coordinator's own. */
  readonly name: string | undefined;
  readonly connection: Signal<Connection> = signal("connecting");
  /** Why there is nothing to show, when there is not. */
  readonly problem: Signal<string | undefined> = signal(undefined);
  readonly runs: Signal<readonly RunListing[]> = signal([]);
  readonly status: Signal<ClusterStatus | undefined> = signal(undefined);
  readonly metrics: Signal<MetricsColumns | undefined> = signal(undefined);
  readonly validations: Signal<readonly ValidationSummary[]> = signal([]);
  readonly events: Signal<readonly RunEventRecord[]> = signal([]);
  readonly activity: Signal<ActivityColumns | undefined> = signal(undefined);
  readonly images: Signal<readonly PreviewImage[]> = signal([]);
  /** The run's folder, told by a coordinator that ends. */
  readonly folder: Signal<string | undefined> = signal(undefined);
  /** The pictures' files that can still be shown; undefined while all can be fetched. */
  readonly kept: Signal<ReadonlySet<string> | undefined> = signal(undefined);
  readonly #refreshMetrics = throttled(
    () => ((this.metrics.value?.bucketSteps ?? 1) < MANY_STEPS ? METRICS_EVERY_MS : LONG_METRICS_EVERY_MS),
    () => this.#load(this.metrics, this.api.metrics),
  );
  readonly #refreshActivity = throttled(
    () => ACTIVITY_EVERY_MS,
    () => this.#loadActivity(),
  );
  readonly #gathered: RunEventRecord[] = [];
  /** What the stream tells while events are fetched: a list for each fetch under way. */
  readonly #heard = new Set<RunEventRecord[]>();
  #watched: readonly string[] | undefined;
  #watchTimer: ReturnType<typeof setTimeout> | undefined;

  /** @param run name of a run; the coordinator's own when undefined */
  constructor(run: string | undefined) {
    this.name = run;
    this.api = new Api(run);
  }

  /** Fetches everything once and then, for a live run, follows the stream. */
  async start(): Promise<void> {
    await Promise.all([this.#refreshAll(), this.#load(this.runs, this.api.runs)]);
    const run = this.name ?? this.status.value?.run;
    const listing = this.runs.value.find((each) => each.run === run);
    if (this.problem.value === undefined && listing !== undefined && !listing.live) this.connection.value = "still";
    else if (this.name === undefined || listing?.live) this.#follow();
  }

  /** With many workers: whose lanes are in view. Only those are fetched. */
  readonly watch = (workers: readonly string[]): void => {
    this.#watched = workers;
    clearTimeout(this.#watchTimer);
    this.#watchTimer = setTimeout(() => void this.#loadActivity(), WATCH_MS);
  };

  #follow(): void {
    const close = openFeed({
      open: () => new EventSource("api/stream"),
      handlers: {
        status: (status) => this.#takeStatus(status),
        step: (step) => {
          const metrics = this.metrics.value;
          const longer = metrics && withStep(metrics, step, MOST_APPENDED);
          if (longer) this.metrics.value = longer;
          else this.#refreshMetrics();
        },
        head: (head) => {
          const status = this.status.value;
          if (status !== undefined) this.#takeStatus({ ...status, ...head });
        },
        event: (event) => {
          for (const heard of this.#heard) heard.push(event);
          if (this.#gathered.push(event) === 1) setTimeout(() => this.#takeGathered(), GATHER_EVENTS_MS);
        },
        validation: () => void this.#load(this.validations, this.api.validations),
        preview: () => void this.#load(this.images, this.api.images),
        // The stream stays open for as long as something is fetched: the coordinator waits for its end.
        end: ({ folder }) => {
          this.folder.value = folder;
          this.connection.value = "over";
          void this.#keepAll().finally(close);
        },
      },
      onOpen: () => {
        const again = this.connection.value === "lost" || this.connection.value === "over";
        this.connection.value = "live";
        this.problem.value = undefined;
        if (again || this.status.value === undefined) void this.#refreshAll();
        // What happened between the first fetch and now was told to nobody.
        else void this.#refreshTold();
      },
      onLost: () => {
        if (this.folder.value !== undefined) return close();
        this.connection.value = this.status.value?.phase === "finished" ? "over" : "lost";
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

  #takeGathered(): void {
    if (this.#gathered.length === 0) return;
    this.events.value = withHeard(this.events.value, this.#gathered.splice(0)).slice(-MOST_EVENTS);
  }

  async #loadActivity(): Promise<void> {
    const many = areMany(this.status.value?.workers ?? []);
    if (many && !this.#watched?.length) return;
    await this.#load(this.activity, () => this.api.activity(many ? this.#watched : undefined));
  }

  async #refreshAll(): Promise<void> {
    await Promise.all([this.#refreshNumbers(), this.#load(this.images, this.api.images)]);
  }

  /** What the stream tells of once: a status comes with each opening, and a step that is missing brings all of them. */
  async #refreshTold(): Promise<void> {
    await Promise.all([
      this.#loadEvents(),
      this.#load(this.validations, this.api.validations),
      this.#load(this.images, this.api.images),
    ]);
  }

  /** What the stream tells while they are fetched comes with them. */
  async #loadEvents(): Promise<void> {
    this.#takeGathered();
    const heard: RunEventRecord[] = [];
    this.#heard.add(heard);
    await this.#load(this.events, async () => withHeard(await this.api.events(), heard).slice(-MOST_EVENTS));
    this.#heard.delete(heard);
  }

  async #refreshNumbers(): Promise<void> {
    await Promise.all([
      // Which lanes are wanted depends on how many workers there are.
      this.#load(this.status, this.api.status).then(() => this.#loadActivity()),
      this.#load(this.metrics, this.api.metrics),
      this.#load(this.validations, this.api.validations),
      this.#loadEvents(),
    ]);
  }

  /** Fetches everything for the last time, pictures too. Those that do not come any more are not shown. */
  async #keepAll(): Promise<void> {
    const numbers = this.#refreshNumbers();
    const images = await this.api.images().catch(() => this.images.value);
    this.kept.value = await loadPictures(filesOf(images), (file) => this.api.picture(file));
    this.images.value = images;
    await numbers;
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
