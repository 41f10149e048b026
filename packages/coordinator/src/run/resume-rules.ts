/** Which keys of the configuration a resumed run may have different. */
import {
  type BackendName,
  type Configuration,
  type ConfigurationDifference,
  configurationDifferences,
} from "@mzsr/shared";

/** A key that differs between a run and the wish to resume it. */
export interface KeyChange extends ConfigurationDifference {
  readonly safe: boolean;
  /** Why it is safe, or why it is not. */
  readonly reason: string;
}

/** What a run has done so far, as far as it bears on what may still change. */
export interface RunProgress {
  /** Steps done over both stages. */
  readonly step: number;
  readonly backend: BackendName | undefined;
}

/**
 * The keys in which two configurations differ, each with whether the run may go on with the new value: safe are those
 * that say how the work is done, and how much of it, not what is computed.
 */
export function configurationChanges(before: Configuration, after: Configuration, progress: RunProgress): KeyChange[] {
  return configurationDifferences(before, after).map((difference) => {
    const verdict = verdictOn(difference.path, before, after, progress);
    return { ...difference, ...verdict };
  });
}

/** `pretraining.steps: 100 → 200 (…)`. */
export function describeChange({ path, before, after, reason }: KeyChange): string {
  return `${path}: ${before ?? "not set"} → ${after ?? "not set"} (${reason})`;
}

type Verdict = Pick<KeyChange, "safe" | "reason">;

function verdictOn(path: string, before: Configuration, after: Configuration, progress: RunProgress): Verdict {
  if (path === "cluster.pipeline") return unsafe("decides which parameters tasks start from");
  if (path === "cluster.mixedBackends" && after.cluster.mixedBackends) {
    return unsafe("lets backends in whose last bits differ from those that the run began with");
  }
  if (path.startsWith("cluster.")) return safe("how the work is shared, not what is computed");
  if (path.startsWith("checkpoints.")) return safe("when the run is saved");
  if (path.startsWith("validation.")) return safe("what is measured, not what is computed");
  if (path === "data") return safe("where the images lie; their content is compared by itself");
  if (path === "skipBadImages") return safe("the images' content is compared by itself");
  if (path === "init" && sameStart(before, after)) return safe("where the start model lies; its content is the same");
  if (path === "backend") return verdictOnBackend(after, progress);
  if (path === "metaTraining.steps") return verdictOnMetaSteps(before, after, progress);
  if (path === "pretraining.steps") return verdictOnPretrainingSteps(before, after, progress);
  return unsafe("decides what is computed");
}

function sameStart(before: Configuration, after: Configuration): boolean {
  return after.initSha256 !== undefined && after.initSha256 === before.initSha256;
}

function verdictOnBackend({ backend }: Configuration, progress: RunProgress): Verdict {
  if (backend === "auto" || progress.backend === undefined || backend === progress.backend) {
    return safe("the run stays on the backend that it began with");
  }
  return unsafe(`the run computes on ${progress.backend}, and another backend gives other last bits`);
}

function verdictOnMetaSteps(before: Configuration, after: Configuration, { step }: RunProgress): Verdict {
  if (after.pretraining.steps + after.metaTraining.steps < step) return unsafe(`${step} steps are done already`);
  if (before.metaTraining.learningRateFinal !== 1 && step > before.pretraining.steps) {
    return safe("from here on, the learning rate follows the curve of the new length");
  }
  return safe("how long the run goes on");
}

function verdictOnPretrainingSteps(before: Configuration, after: Configuration, { step }: RunProgress): Verdict {
  if (step <= Math.min(before.pretraining.steps, after.pretraining.steps)) return safe("that stage is not over");
  return unsafe(`${step} steps are done, pretraining is behind them`);
}

function safe(reason: string): Verdict {
  return { safe: true, reason };
}

function unsafe(reason: string): Verdict {
  return { safe: false, reason };
}
