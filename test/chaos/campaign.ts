/**
 * A campaign: a cluster of real processes trains while everything that can go wrong goes wrong, and then as many steps
 * are trained once more in peace. Both must end with the same parameters, to the bit.
 *
 * How many steps the faults leave time for is known only afterwards. So the attacked run is begun without an end; when
 * the faults are over it is stopped, resumed with an end (`metaTraining.steps` may change), and finished.
 */
import type { RunEventRecord } from "@mzsr/shared";
import { smallImages } from "@mzsr/testing/small-run";
import type { InjectedFault, WorkerStart } from "./attack.js";
import { attackedRun } from "./attacked-run.js";
import { CampaignFolder } from "./campaign-folder.js";
import { PRETRAINING_STEPS } from "./configuration.js";
import { quietRun } from "./quiet-run.js";
import type { StepRecord } from "./records.js";
import { campaignReport } from "./report.js";

export interface CampaignOptions {
  readonly seed: number;
  /** How long faults strike. */
  readonly seconds: number;
  readonly faults: number;
  readonly workers: number;
  /** Rounds of three more faults, one at a time, to measure what each costs. */
  readonly drills: number;
  /** Whether there is a nats-server to use and to hurt. */
  readonly nats: boolean;
  /** Two coordinators that stand by for each other, instead of one that is started again. Needs `nats`. */
  readonly standby: boolean;
  /** Aborting it ends the campaign, and every process. */
  readonly signal: AbortSignal;
  readonly say: (line: string) => void;
}

/** What a campaign saw. */
export interface CampaignRecord {
  readonly seed: number;
  readonly workers: number;
  readonly injected: readonly InjectedFault[];
  /** The steps that the attacked run's folders hold at the end, and those of the quiet one's. */
  readonly steps: readonly StepRecord[];
  readonly quietSteps: readonly StepRecord[];
  /** Every step that the attacked run ever wrote down. */
  readonly history: readonly StepRecord[];
  readonly events: readonly RunEventRecord[];
  readonly coordinatorStarts: readonly number[];
  readonly workerStarts: readonly WorkerStart[];
  readonly counters: Readonly<Record<string, number>>;
  /** Hex SHA-256 of model.safetensors, of every coordinator of the attacked run and of the quiet one. */
  readonly models: readonly (string | undefined)[];
  /** What went wrong that must not, besides the parameters. */
  readonly problems: readonly string[];
}

/**
 * Runs a campaign. Its folder is kept when something was wrong.
 * @throws Error when training stands still, or on abort
 */
export async function runCampaign(options: CampaignOptions): Promise<CampaignRecord> {
  const { seed, workers, say } = options;
  const folder = await CampaignFolder.make();
  if (folder.disk === undefined) say("the full disk is skipped: mounting a small one needs root");
  try {
    await smallImages(folder.data);
    const attacked = await attackedRun(options, folder);
    const steps = attacked.steps.length;
    say(`${attacked.injected.length} faults are over after ${steps} steps; now as many steps in peace`);
    const quiet = await quietRun(options, folder, steps - PRETRAINING_STEPS);
    const models = [...attacked.attackedModels, ...quiet.quietModels];
    const record = { seed, workers, ...attacked, ...quiet, models };
    if (campaignReport(record).passed) await folder.remove();
    else say(`logs and run folders are kept in ${await folder.keep()}`);
    return record;
  } catch (thrown) {
    if (options.signal.aborted) await folder.remove();
    else say(`logs and run folders are kept in ${await folder.keep()}`);
    throw thrown;
  }
}
