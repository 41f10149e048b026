/** The live run as the HTTP server tells it: what the core knows, and what happened so far. */
import type {
  ActivityColumns,
  ClusterStatus,
  MetricsColumns,
  RunEventRecord,
  StepSummary,
  ValidationSummary,
} from "@mzsr/shared";
import { ActivityLog } from "../history/activity-log.js";
import { type HistoryRange, StepHistory } from "../history/step-history.js";
import type { RunView } from "../http/run-view.js";
import { WorkerDevices } from "./worker-devices.js";

const KEPT_EVENTS = 10_000;

export interface LiveRunOptions {
  readonly run: string;
  readonly folder: string;
  /** The core's own status. */
  readonly status: () => ClusterStatus;
  readonly nowMs: () => number;
  /** What earlier lives of the coordinator did. */
  readonly steps: readonly StepSummary[];
  readonly validations: readonly ValidationSummary[];
  readonly events: readonly RunEventRecord[];
}

export class LiveRun implements RunView {
  readonly folder: string;
  readonly devices = new WorkerDevices();
  readonly #options: LiveRunOptions;
  readonly #history = new StepHistory();
  readonly #events: RunEventRecord[];
  readonly #activity = new ActivityLog();
  #validations: readonly ValidationSummary[];
  #latest: StepSummary | undefined;

  constructor(options: LiveRunOptions) {
    this.folder = options.folder;
    this.#options = options;
    this.#events = options.events.slice(-KEPT_EVENTS);
    this.#validations = options.validations;
    for (const step of options.steps) this.stepDone(step);
  }

  /** The core's status, with what workers told of their devices; before this life's first step, with the losses of the last one before it. */
  status(): ClusterStatus {
    const core = this.#options.status();
    const status = { ...core, workers: this.devices.addTo(core.workers) };
    const latest = this.#latest;
    if (status.losses.supportBefore !== null || latest === undefined) return status;
    const losses = {
      supportBefore: latest.supportLosses[0] ?? null,
      queryBefore: latest.queryLosses[0] ?? null,
      queryAfter: latest.queryLosses.at(-1) ?? null,
    };
    return { ...status, losses };
  }

  stepDone(step: StepSummary): void {
    this.#latest = step;
    this.#history.append(step);
  }

  validated(validation: ValidationSummary): void {
    this.#validations = [...this.#validations, validation].sort((a, b) => a.step - b.step);
  }

  happened(event: RunEventRecord): void {
    this.#events.push(event);
    if (this.#events.length > 2 * KEPT_EVENTS) this.#events.splice(0, KEPT_EVENTS);
  }

  /** To be called about once a second. */
  sampleActivity(): void {
    this.#activity.sample(this.#options.status(), this.#options.nowMs());
  }

  metrics(range: HistoryRange): MetricsColumns {
    return this.#history.columns(this.#options.run, range);
  }

  validations(): readonly ValidationSummary[] {
    return this.#validations;
  }

  events(last: number): readonly RunEventRecord[] {
    return last === 0 ? [] : this.#events.slice(-last);
  }

  activity(workers?: readonly string[]): ActivityColumns {
    return this.#activity.columns(this.#options.nowMs(), workers);
  }
}
