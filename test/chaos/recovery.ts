/** How long a cluster takes to recover, from a campaign's record. */
import type { RunEvent } from "@mzsr/shared";
import type { CampaignRecord } from "./campaign.js";
import type { FaultKind } from "./faults.js";
import type { StepRecord } from "./records.js";

export interface Spread {
  readonly count: number;
  readonly median: number;
  readonly worst: number;
}

/** Seconds; each spread over the occasions on which no other fault interfered. */
export interface RecoveryTimes {
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
}

export function recoveryTimes(record: CampaignRecord): RecoveryTimes {
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

function spread(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b);
  return { count: sorted.length, median: sorted[sorted.length >> 1] ?? 0, worst: sorted.at(-1) ?? 0 };
}

function spreadOfMs(milliseconds: readonly number[]): Spread {
  return spread(milliseconds.map((ms) => ms / 1000));
}
