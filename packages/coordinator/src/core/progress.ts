/** How fast the run goes and what it has counted: what the status tells, and nothing depends on. */
import type { StepSummary } from "@mzsr/shared";
import type { AuditResult, TaskEnd } from "./events.js";

/** Newest steps over which speeds are averaged. */
const WINDOW = 20;

const COUNTER_OF_TASK_END = {
  accepted: "tasksAccepted",
  audited: "tasksAudited",
  refused: "tasksRefused",
  failed: "tasksFailed",
  lost: "tasksLost",
  repeated: "tasksRepeated",
  late: "tasksLate",
  dropped: "tasksDropped",
} as const satisfies Record<TaskEnd, string>;

const COUNTER_OF_AUDIT = {
  match: "auditsMatched",
  mismatch: "auditsMismatched",
  skipped: "auditsSkipped",
  undecided: "auditsUndecided",
} as const satisfies Record<AuditResult, string>;

export class Progress {
  readonly #counters: Record<string, number> = {
    ...Object.fromEntries(
      [...Object.values(COUNTER_OF_TASK_END), ...Object.values(COUNTER_OF_AUDIT)].map((n) => [n, 0]),
    ),
    quarantines: 0,
    workersLost: 0,
  };
  readonly #recent: { readonly atMs: number; readonly summary: StepSummary }[] = [];

  get counters(): Readonly<Record<string, number>> {
    return { ...this.#counters };
  }

  /** The newest finished step of this life of the coordinator. */
  get latest(): StepSummary | undefined {
    return this.#recent.at(-1)?.summary;
  }

  countTask(end: TaskEnd): void {
    this.#count(COUNTER_OF_TASK_END[end]);
  }

  countAudit(result: AuditResult): void {
    this.#count(COUNTER_OF_AUDIT[result]);
  }

  countQuarantine(): void {
    this.#count("quarantines");
  }

  countLostWorker(): void {
    this.#count("workersLost");
  }

  stepDone(summary: StepSummary, nowMs: number): void {
    if (summary.stage !== this.latest?.stage) this.#recent.length = 0;
    this.#recent.push({ atMs: nowMs, summary });
    if (this.#recent.length > WINDOW) this.#recent.shift();
  }

  /** Over the newest steps of the stage: from one step's end to the next; a lone step counts from its first lease. */
  get secondsPerStep(): number | null {
    const first = this.#recent[0];
    const last = this.#recent.at(-1);
    if (!first || !last) return null;
    if (first === last) return first.summary.seconds;
    return (last.atMs - first.atMs) / 1000 / (this.#recent.length - 1);
  }

  #count(name: string): void {
    this.#counters[name] = (this.#counters[name] ?? 0) + 1;
  }
}
