/** Outcomes of tasks as they travel: each by itself, or several of one step added up. */
import { createHash } from "node:crypto";
import { ExactSums } from "../exact-sums/exact-sum.js";
import { floatsToBytes } from "../protocol/float-bytes.js";
import type { GroupResult, TaskResult } from "../protocol/messages.js";
import type { TaskOutcome, TaskReport } from "./task.js";

/** The outcome of a leased task. */
export interface LeasedOutcome {
  readonly lease: string;
  readonly outcome: TaskOutcome;
}

export function resultOf({ lease, outcome }: LeasedOutcome): TaskResult {
  return { lease, report: reportOf(outcome), gradient: floatsToBytes(outcome.gradient) };
}

/** Adds outcomes up in one accumulator that is kept from group to group. */
export class GroupSums {
  #sums: ExactSums | undefined;
  #size = 0;

  /** The outcomes as one result; `undefined` where one of them cannot be in a sum: it is to be sent and judged by itself. */
  add(outcomes: readonly LeasedOutcome[]): GroupResult | undefined {
    const size = outcomes[0]!.outcome.gradient.length;
    if (size === 0) return undefined;
    const sum = this.#sumsOf(size).open();
    try {
      const tasks = [];
      for (const { lease, outcome } of outcomes) {
        const bytes = floatsToBytes(outcome.gradient);
        if (sum.add(bytes) !== undefined) return undefined;
        tasks.push({ lease, report: reportOf(outcome), sha256: sha256Of(bytes) });
      }
      return { tasks, sum: sum.toBytes() };
    } finally {
      sum.release();
    }
  }

  #sumsOf(size: number): ExactSums {
    if (this.#sums === undefined || this.#size !== size) this.#sums = new ExactSums(size, 1);
    this.#size = size;
    return this.#sums;
  }
}

/** Hex SHA-256. */
export function sha256Of(data: string | Uint8Array): string {
  return createHash("sha256").update(data).digest("hex");
}

function reportOf({ gradient: _, ...report }: TaskOutcome): TaskReport {
  return report;
}
