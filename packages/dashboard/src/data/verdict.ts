/** "Is it learning?", answered in a sentence, with as much certainty as the curves give and no more. */
import type { MetricsColumns, RunStage } from "@mzsr/shared";
import { formatPercent } from "../format.js";
import { pick, rowsOf, type Value } from "./series.js";

/** Buckets that a trend needs. */
const FEWEST_BUCKETS = 10;
/** Without a trend in fewer buckets than these, it is too early to speak of a level. */
const BUCKETS_OF_A_LEVEL = 60;
/** Differences below this many standard errors are called level. */
const SURE = 2;

export type Trend = "falling" | "rising" | "level";

export interface Verdict {
  readonly tone: "good" | "neutral" | "bad";
  readonly sentence: string;
}

interface Mean {
  readonly value: number;
  /** Standard error. */
  readonly error: number;
}

/** Whether the last fifth of the values lies below or above the fifth before it; undefined for too few values. */
export function trendOf(values: readonly Value[]): Trend | undefined {
  const known = values.filter((value): value is number => value !== null);
  if (known.length < FEWEST_BUCKETS) return undefined;
  const fifth = Math.max(5, Math.floor(known.length / 5));
  const last = meanOf(known.slice(-fifth));
  const earlier = meanOf(known.slice(-2 * fifth, -fifth));
  const change = last.value - earlier.value;
  if (Math.abs(change) <= SURE * Math.hypot(last.error, earlier.error)) return "level";
  return change < 0 ? "falling" : "rising";
}

/** The sentence for a stage of a run. */
export function verdictOf(columns: MetricsColumns, stage: RunStage): Verdict {
  const rows = rowsOf(columns, stage);
  if (rows.length < FEWEST_BUCKETS) return { tone: "neutral", sentence: "Too early to tell." };
  return stage === "pretraining"
    ? pretrainingVerdict(pick(columns.supportBefore, rows))
    : metaVerdict(pick(columns.queryBefore, rows), pick(columns.queryAfter, rows));
}

function pretrainingVerdict(losses: readonly Value[]): Verdict {
  const trend = trendOf(losses) ?? "level";
  if (trend === "falling") return { tone: "good", sentence: "Yes: the minibatch loss is falling." };
  if (trend === "rising") return { tone: "bad", sentence: "The minibatch loss is rising." };
  if (losses.length < BUCKETS_OF_A_LEVEL) return { tone: "neutral", sentence: "Too early to tell." };
  return { tone: "neutral", sentence: "The minibatch loss has levelled off." };
}

function metaVerdict(before: readonly Value[], after: readonly Value[]): Verdict {
  const gain = 1 - newestMean(after) / newestMean(before);
  const trend = trendOf(after) ?? "level";
  if (!Number.isFinite(gain)) return { tone: "neutral", sentence: "Too early to tell." };
  if (gain <= 0) {
    return { tone: "bad", sentence: `Not yet: adaptation raises the loss by ${formatPercent(-gain)}.` };
  }
  const helps = `adaptation removes ${formatPercent(gain)} of the loss`;
  const moving = {
    falling: "and what is left is still falling",
    rising: "but what is left is rising",
    level: after.length < BUCKETS_OF_A_LEVEL ? "too early to see a trend" : "and what is left has levelled off",
  }[trend];
  return {
    tone: trend === "rising" ? "bad" : trend === "falling" ? "good" : "neutral",
    sentence: trend === "falling" ? `Yes: ${helps}, ${moving}.` : `${capitalised(helps)}, ${moving}.`,
  };
}

function newestMean(values: readonly Value[]): number {
  const known = values.filter((value): value is number => value !== null);
  return meanOf(known.slice(-Math.max(5, Math.floor(known.length / 10)))).value;
}

function meanOf(values: readonly number[]): Mean {
  const value = values.reduce((sum, each) => sum + each, 0) / values.length;
  const variance = values.reduce((sum, each) => sum + (each - value) ** 2, 0) / Math.max(1, values.length - 1);
  return { value, error: Math.sqrt(variance / values.length) };
}

function capitalised(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
