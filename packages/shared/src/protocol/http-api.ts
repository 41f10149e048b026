/**
 * What the coordinator tells over HTTP, as JSON: the live page, `mzsr status` and the NATS status reply read it.
 *
 *     GET /api/status                      ClusterStatus
 *     GET /api/metrics?from=&to=&points=   MetricsColumns   (StepHistory.columns; from 1, to the newest, 600 points)
 *     GET /api/events?last=                RunEventRecord[] (oldest first; the newest 500)
 *     GET /api/activity?worker=            ActivityColumns  (ActivityLog.columns; all workers, or each named by a `worker=`)
 *     GET /api/validations                 ValidationSummary[] (in the order of their steps)
 *     GET /api/runs                        RunListing[]     (the live run first)
 *     GET /api/images                      PreviewImage[]
 *     GET /api/images/<file>               a PNG named by a PreviewImage; never changes once written
 *     GET /api/stream                      server-sent events, see StreamMessages
 *
 * Every route but /api/runs and /api/stream takes `run=<name>` for another run than the live one; an unknown run is a 404.
 * Errors are `{ "error": "<one sentence>" }`. Everything is read-only.
 *
 * Numbers that are not known (yet) are null: JSON has no NaN.
 */
import type { BackendName } from "../config/schema.js";
import type { RunStage } from "../tasks/task.js";
import type { WorkerHeartbeat } from "./heartbeat.js";
import type { RunEvent, StepSummary, ValidationSummary } from "./records.js";

export type RunPhase = "waiting" | "training" | "stopping" | "finished";

export type WorkerState = "active" | "draining" | "quarantined" | "lost" | "gone";

export interface WorkerStatus {
  readonly worker: string;
  readonly state: WorkerState;
  /** Why it is in this state, as one short sentence. */
  readonly reason: string;
  readonly backend: BackendName;
  readonly slots: number;
  readonly busySlots: number;
  readonly host: string;
  /** host:port of its /metrics, empty when there is none. */
  readonly metricsAddress: string;
  readonly tasksDone: number;
  readonly tasksFailed: number;
  /** Usual duration of its tasks. */
  readonly secondsPerTask: number | null;
  readonly lastHeartbeatAgoSeconds: number | null;
  /** When it came into this state: milliseconds since the epoch on the coordinator's clock. */
  readonly since: number;
  /** What its newest heartbeat over NATS told of a GPU and of batches; absent when it told nothing. */
  readonly device?: WorkerDevice;
}

export type WorkerDevice = Pick<WorkerHeartbeat, "gpu" | "batches">;

export interface ClusterStatus {
  readonly run: string;
  readonly phase: RunPhase;
  readonly stage: RunStage;
  /** Finished steps over both stages. */
  readonly step: number;
  readonly totalSteps: number;
  /** Finished steps of the stage. */
  readonly stageStep: number;
  readonly stageSteps: number;
  /** Of the newest finished step; pretraining has only supportBefore, the minibatch loss. */
  readonly losses: {
    readonly supportBefore: number | null;
    readonly queryBefore: number | null;
    readonly queryAfter: number | null;
  };
  readonly tasksPerSecond: number | null;
  readonly secondsPerStep: number | null;
  readonly secondsLeft: number | null;
  /** Null until the first worker has settled it. */
  readonly backend: BackendName | null;
  readonly workers: readonly WorkerStatus[];
  readonly leases: {
    readonly pending: number;
    readonly leased: number;
    readonly done: number;
    readonly backup: number;
    readonly audit: number;
  };
  /** Totals since the coordinator started, by name (tasksAccepted, tasksRepeated, auditsMatched, …). */
  readonly counters: Readonly<Record<string, number>>;
}

/** What is true of the cluster as a whole. */
export type ClusterHead = Omit<ClusterStatus, "workers">;

/** A column of numbers over the buckets of a MetricsColumns; null where no step of the bucket has the number. */
export type MetricColumn = readonly (number | null)[];

/** The numbers of a step that the page draws over the steps. */
export const METRIC_NAMES = [
  "supportBefore",
  "supportAfter",
  "queryBefore",
  "queryAfter",
  "gradientNorm",
  "learningRate",
  "seconds",
  "tasks",
  "workers",
] as const;
export type MetricName = (typeof METRIC_NAMES)[number];

/** Those of them whose extremes are kept beside the means. */
export const EXTREME_NAMES = ["supportBefore", "queryBefore", "queryAfter", "gradientNorm"] as const;
export type ExtremeName = (typeof EXTREME_NAMES)[number];

/**
 * The history of a run, downsampled: neighbouring steps share a bucket. The columns named by METRIC_NAMES are means
 * over the bucket, so that smoothing them stays honest; `least` and `greatest` keep the extremes, so that no spike is
 * hidden. All columns have the same length.
 */
export interface MetricsColumns extends Readonly<Record<MetricName, MetricColumn>> {
  readonly run: string;
  /** First and last step that the run has, 0 when it has none. */
  readonly firstStep: number;
  readonly lastStep: number;
  /** Steps in a bucket (the last one may hold fewer). */
  readonly bucketSteps: number;
  /** Last step of each bucket, counted over both stages from 1. A bucket never spans two stages. */
  readonly step: readonly number[];
  readonly stage: readonly RunStage[];
  readonly least: Readonly<Record<ExtremeName, MetricColumn>>;
  readonly greatest: Readonly<Record<ExtremeName, MetricColumn>>;
  /** The newest step in full. */
  readonly latest: StepSummary | null;
}

/** One line of events.jsonl. */
export interface RunEventRecord extends RunEvent {
  /** Milliseconds since the incarnation. */
  readonly at: number;
}

/** Who worked when: shares of each worker's slots that were busy, sampled once a second and averaged over spans. */
export interface ActivityColumns {
  /** Milliseconds since the epoch at which the first span starts. */
  readonly from: number;
  readonly spanSeconds: number;
  /** [spans] each: 0…1 while connected, null while not. */
  readonly workers: readonly { readonly worker: string; readonly busy: readonly (number | null)[] }[];
}

export interface RunListing {
  readonly run: string;
  /** A coordinator is working on it now and streams its changes. */
  readonly live: boolean;
  readonly status: ClusterStatus;
}

/** Preview files of a held-out picture; each is a name for /api/images/<file>. */
export interface PreviewFiles {
  readonly lr: string;
  readonly bicubic: string;
  readonly adapted: string;
  readonly hr: string;
}

export interface PreviewEntry {
  /** Parameters after this step made the picture. */
  readonly step: number;
  readonly files: PreviewFiles;
  /** dB on the Y channel against HR: bicubic enlargement, the network before and after adaptation. */
  readonly psnr: { readonly bicubic: number; readonly before: number; readonly adapted: number };
}

export interface PreviewImage {
  readonly name: string;
  readonly scale: number;
  /** Gradient steps of the adaptation. */
  readonly updates: number;
  readonly downsampling: "direct" | "bicubic";
  /** The kernel that blurred it, row by row. */
  readonly kernel: { readonly size: number; readonly values: readonly number[] };
  /** Oldest first. */
  readonly entries: readonly PreviewEntry[];
}

/** Server-sent events of /api/stream: event name → JSON of its data. */
export interface StreamMessages {
  /** At once on connecting, then when changed: each second up to 200 workers, each n/200 seconds with n. */
  readonly status: ClusterStatus;
  /** In the seconds between: all of it but the workers. */
  readonly head: ClusterHead;
  /** The newest finished step, at most four a second. */
  readonly step: StepSummary;
  readonly event: RunEventRecord;
  readonly validation: ValidationSummary;
  /** New pictures stand in /api/images. */
  readonly preview: { readonly step: number };
  /**
   * The run is complete, all of its pictures stand in /api/images, and the server ends as soon as its readers have closed
   * their streams, at the latest some seconds later. `folder` is the run's folder, an absolute path on its machine.
   */
  readonly end: { readonly folder: string };
}
