/** What a campaign's record means. Everything here is a pure function of the record. */
import type { RunEvent } from "@mzsr/shared";
import type { CampaignRecord } from "./campaign.js";
import { FAULT_KINDS, type FaultKind } from "./faults.js";
import type { StepRecord } from "./records.js";

export interface Spread {
  readonly count: number;
  readonly median: number;
  readonly worst: number;
}

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
  /** Seconds; each spread over the occasions on which no other fault interfered. */
  readonly recovery: {
    /** Kill of the (leading) coordinator → the next step, whoever leads then. */
    readonly coordinatorKill: Spread;
    /** Start of a coordinator's process after the kill → the next step. */
    readonly coordinatorRestart: Spread;
    /** That coordinator's going on from its checkpoint → the next step: what is left without starting a process. */
    readonly coordinatorResume: Spread;
    /** Start of a worker's process → its first task. */
    readonly workerStart: Spread;
    /** Its joining → its first task. */
    readonly workerJoin: Spread;
    /** Kill of a worker → the next step, beyond the usual time of a step. */
    readonly workerKill: Spread;
  };
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

function recoveryTimes(record: CampaignRecord): CampaignReport["recovery"] {
  const { history, quietSteps, coordinatorStarts, injected } = record;
  const usual = spread(gaps(quietSteps)).median;
  const nextStep = (afterMs: number) => history.find(({ atMs }) => atMs >= afterMs)?.atMs;
  const felt = disturbances(record, nextStep);
  const undisturbed = (fromMs: number, toMs: number | undefined, cause: number): toMs is number =>
    toMs !== undefined && felt.every((other, i) => i === cause || other.toMs < fromMs || other.fromMs > toMs);
  /** Kills of a kind after which nothing else happened before the next step. */
  const cleanKills = (wanted: FaultKind) =>
    injected.flatMap(({ kind, fromMs }, i) => {
      const toMs = nextStep(fromMs);
      return kind === wanted && undisturbed(fromMs, toMs, i) ? [{ fromMs, toMs }] : [];
    });
  const outages = cleanKills("coordinator-kill");
  const restarts = coordinatorStarts.slice(1).flatMap((fromMs) => {
    const toMs = nextStep(fromMs);
    return undisturbed(fromMs, toMs, causeOf(record, fromMs)) ? [toMs - fromMs] : [];
  });
  const starts = record.workerStarts.flatMap(({ startedMs, firstTaskMs, worker }) => {
    const cause = injected.findIndex((fault) => fault.kind === "worker-join" && fault.worker === worker);
    return undisturbed(startedMs, firstTaskMs, cause) ? [{ worker, fromMs: startedMs, toMs: firstTaskMs }] : [];
  });
  const sinceEvent = (kind: RunEvent["kind"], spans: readonly { fromMs: number; toMs: number; worker?: string }[]) =>
    spans.flatMap(({ fromMs, toMs, worker }) => {
      const event = record.events.find((e) => e.kind === kind && e.worker === worker && e.at >= fromMs && e.at <= toMs);
      return event === undefined ? [] : [toMs - event.at];
    });
  const lengths = (spans: readonly { fromMs: number; toMs: number }[]) => spans.map((span) => span.toMs - span.fromMs);
  const lostInStep = lengths(cleanKills("worker-kill")).map((ms) => Math.max(0, ms - 1000 * usual));
  return {
    coordinatorKill: spreadOfMs(lengths(outages)),
    coordinatorRestart: spreadOfMs(restarts),
    coordinatorResume: spreadOfMs(sinceEvent("resume", outages)),
    workerStart: spreadOfMs(lengths(starts)),
    workerJoin: spreadOfMs(sinceEvent("join", starts)),
    workerKill: spreadOfMs(lostInStep),
  };
}

/** For how long each fault was felt: a kill until the next step, a freeze until the step after it. */
function disturbances({ injected }: CampaignRecord, nextStep: (afterMs: number) => number | undefined) {
  return injected.map(({ kind, fromMs, toMs }) => {
    const harmless = kind === "worker-join" || kind === "nats-kill" || kind === "nats-freeze";
    return { fromMs, toMs: harmless ? fromMs : (nextStep(toMs) ?? toMs) };
  });
}

/** The fault that made a coordinator start: the newest before it that ends coordinators. */
function causeOf({ injected }: CampaignRecord, startedMs: number): number {
  return injected.findLastIndex(
    ({ kind, fromMs }) => fromMs <= startedMs && (kind === "coordinator-kill" || kind === "power-cut"),
  );
}

function gaps(steps: readonly StepRecord[]): number[] {
  return steps.slice(1).map(({ atMs }, i) => (atMs - steps[i]!.atMs) / 1000);
}

function duration(steps: readonly StepRecord[]): number {
  return steps.length === 0 ? 0 : (steps.at(-1)!.atMs - steps[0]!.atMs) / 1000;
}

function spread(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b);
  return { count: sorted.length, median: sorted[sorted.length >> 1] ?? 0, worst: sorted.at(-1) ?? 0 };
}

function spreadOfMs(milliseconds: readonly number[]): Spread {
  return spread(milliseconds.map((ms) => ms / 1000));
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
