/** What a campaign's record means. Everything here is a pure function of the record. */
import type { CampaignRecord } from "./campaign.js";
import { FAULT_KINDS, type FaultKind } from "./faults.js";
import type { StepRecord } from "./records.js";
import { type RecoveryTimes, recoveryTimes, type Spread } from "./recovery.js";

export interface CampaignReport {
  readonly seed: number;
  readonly faults: number;
  readonly faultsByKind: Readonly<Partial<Record<FaultKind, number>>>;
  readonly steps: number;
  /** Steps that are missing at the end, or whose parameters are not the quiet run's. */
  readonly lostSteps: readonly number[];
  /** Steps that a restart of the coordinator took back, each time counted. */
  readonly stepsRepeated: number;
  /** Those of them that did not give the quiet run's parameters every time. */
  readonly stepsRepeatedDifferently: readonly number[];
  /** Tasks that were given out again because their lease was lost. */
  readonly tasksRepeated: number;
  readonly counters: Readonly<Record<string, number>>;
  /** Last parameters of the attacked run and the quiet one. */
  readonly finalHashes: readonly (string | undefined)[];
  readonly modelsEqual: boolean;
  readonly seconds: number;
  readonly quietSeconds: number;
  readonly recovery: RecoveryTimes;
  readonly problems: readonly string[];
  /** Equal to the last bit, and nothing went wrong that must not. */
  readonly passed: boolean;
}

export function campaignReport(record: CampaignRecord): CampaignReport {
  const { steps, quietSteps, models } = record;
  const lostSteps = lost(steps, quietSteps);
  const repeated = repetitions(record);
  const finalHashes = [steps.at(-1)?.hash, quietSteps.at(-1)?.hash];
  const modelsEqual = models[0] !== undefined && models.every((model) => model === models[0]);
  const equal = quietSteps.length > 0 && lostSteps.length === 0 && steps.length === quietSteps.length && modelsEqual;
  return {
    seed: record.seed,
    faults: record.injected.length,
    faultsByKind: Object.fromEntries(
      FAULT_KINDS.map((kind) => [kind, record.injected.filter((fault) => fault.kind === kind).length]),
    ),
    steps: quietSteps.length,
    lostSteps,
    ...repeated,
    tasksRepeated: record.events.filter(({ kind }) => kind === "release").length,
    counters: record.counters,
    finalHashes,
    modelsEqual,
    seconds: duration(steps),
    quietSeconds: duration(quietSteps),
    recovery: recoveryTimes(record),
    problems: record.problems,
    passed: equal && repeated.stepsRepeatedDifferently.length === 0 && record.problems.length === 0,
  };
}

function lost(steps: readonly StepRecord[], quiet: readonly StepRecord[]): number[] {
  const hashes = new Map(steps.map(({ step, hash }) => [step, hash]));
  return quiet.filter(({ step, hash }) => hashes.get(step) !== hash).map(({ step }) => step);
}

function repetitions({ history, steps, quietSteps }: CampaignRecord) {
  const right = new Map(quietSteps.map(({ step, hash }) => [step, hash]));
  const different = history.filter(({ step, hash }) => right.get(step) !== hash).map(({ step }) => step);
  return { stepsRepeated: history.length - steps.length, stepsRepeatedDifferently: [...new Set(different)] };
}

function duration(steps: readonly StepRecord[]): number {
  return steps.length === 0 ? 0 : (steps.at(-1)!.atMs - steps[0]!.atMs) / 1000;
}

/** The report for people. */
export function reportText(report: CampaignReport): string {
  const { recovery, finalHashes, seconds, quietSeconds } = report;
  const kinds = Object.entries(report.faultsByKind).filter(([, count]) => count > 0);
  return [
    `seed ${report.seed}: ${report.faults} faults (${kinds.map(([kind, count]) => `${kind} ${count}`).join(", ")})`,
    `${report.steps} steps, ${report.lostSteps.length} lost${listed(report.lostSteps)}`,
    `repeated: ${report.stepsRepeated} steps behind the newest checkpoint, ${report.stepsRepeatedDifferently.length} of them differently${listed(report.stepsRepeatedDifferently)}; ${report.tasksRepeated} tasks whose lease was lost`,
    `time: ${seconds.toFixed(1)} s, in peace ${quietSeconds.toFixed(1)} s; lost ${(seconds - quietSeconds).toFixed(1)} s`,
    `coordinator killed → next step: ${spreadText(recovery.coordinatorKill)}`,
    `coordinator restarted → next step: ${spreadText(recovery.coordinatorRestart)}`,
    `coordinator back at its checkpoint → next step: ${spreadText(recovery.coordinatorResume)}`,
    `worker started → its first task: ${spreadText(recovery.workerStart)}`,
    `worker joined → its first task: ${spreadText(recovery.workerJoin)}`,
    `worker killed → time lost in the step: ${spreadText(recovery.workerKill)}`,
    `counters: ${Object.entries(report.counters)
      .map(([name, count]) => `${name} ${count}`)
      .join(", ")}`,
    ...report.problems.map((problem) => `PROBLEM: ${problem}`),
    `theta_sha256 ${finalHashes[0]}, in peace ${finalHashes[1]}; model files ${report.modelsEqual ? "equal" : "DIFFER"}`,
    report.passed ? "passed" : "FAILED",
  ].join("\n");
}

function listed(steps: readonly number[]): string {
  return steps.length === 0 ? "" : ` (${steps.slice(0, 10).join(", ")}${steps.length > 10 ? ", …" : ""})`;
}

function spreadText({ count, median, worst }: Spread): string {
  return count === 0 ? "never undisturbed" : `${median.toFixed(2)} s, at worst ${worst.toFixed(2)} s (${count} times)`;
}
