/** What may enter: results that are what their lease asked for, and workers that fit the run. */
import { type BackendName, LARGEST_ELEMENT, type Task, type TaskOutcome } from "@mzsr/shared";
import type { WorkerHello } from "./events.js";
import { l2Norm } from "./outer-update.js";

/** Why a result does not count: a short code for counters, a sentence for people. */
export interface ResultRejection {
  readonly code: "task" | "size" | "losses" | "not-finite" | "element" | "norm";
  readonly reason: string;
}

export interface ResultRules {
  /** Elements of the run's parameters. */
  readonly size: number;
  readonly lossCounts: { readonly support: number; readonly query: number };
  /** Largest L2 norm of a gradient. */
  readonly maxGradientNorm: number;
}

/** What is wrong with a result, or `undefined` when it may count. */
export function validateResult(outcome: TaskOutcome, task: Task, rules: ResultRules): ResultRejection | undefined {
  if (outcome.stage !== task.stage || outcome.step !== task.step || outcome.index !== task.index) {
    const asked = `${task.stage} step ${task.step} task ${task.index}`;
    return { code: "task", reason: `is for ${outcome.stage} step ${outcome.step} task ${outcome.index}, not ${asked}` };
  }
  if (outcome.gradient.length !== rules.size) {
    return { code: "size", reason: `has ${outcome.gradient.length} elements, not ${rules.size}` };
  }
  return validateLosses(outcome, rules.lossCounts) ?? validateGradient(outcome.gradient, rules.maxGradientNorm);
}

function validateLosses(outcome: TaskOutcome, counts: ResultRules["lossCounts"]): ResultRejection | undefined {
  const { supportLosses, queryLosses } = outcome;
  if (supportLosses.length !== counts.support || queryLosses.length !== counts.query) {
    const given = `${supportLosses.length} support and ${queryLosses.length} query losses`;
    return { code: "losses", reason: `has ${given}, not ${counts.support} and ${counts.query}` };
  }
  const bad = [...supportLosses, ...queryLosses].find((loss) => !Number.isFinite(loss));
  return bad === undefined ? undefined : { code: "not-finite", reason: `has a loss that is ${bad}` };
}

function validateGradient(gradient: Float32Array, maxNorm: number): ResultRejection | undefined {
  const norm = l2Norm(gradient);
  // No element exceeds the norm.
  if (norm <= Math.min(maxNorm, LARGEST_ELEMENT)) return undefined;
  const at = gradient.findIndex((value) => !Number.isFinite(value));
  if (at >= 0) return { code: "not-finite", reason: `has a gradient that is ${gradient[at]} at element ${at}` };
  const beyond = gradient.findIndex((value) => Math.abs(value) > LARGEST_ELEMENT);
  if (beyond >= 0) {
    const reason = `has a gradient that is ${gradient[beyond]} at element ${beyond}, above the bound 2^20`;
    return { code: "element", reason };
  }
  if (norm <= maxNorm) return undefined;
  return { code: "norm", reason: `has a gradient of norm ${norm.toPrecision(4)}, above the bound ${maxNorm}` };
}

export interface RunBackend {
  /** The run's backend, once known. */
  readonly backend: BackendName | undefined;
  readonly mixed: boolean;
}

/** Why a worker cannot compute for this run at all, or `undefined`. */
export function validateWorker(hello: WorkerHello, run: RunBackend): string | undefined {
  if (run.mixed || run.backend === undefined || hello.backend === run.backend) return undefined;
  return (
    `this run computes on the backend ${run.backend} and ${hello.worker} offers ${hello.backend}: results would differ ` +
    `in their last bits; start it with --backend ${run.backend}, or set cluster.mixedBackends`
  );
}
