/**
 * A campaign: a cluster of real processes trains while everything that can go wrong goes wrong, and then as many steps
 * are trained once more in peace. Both must end with the same parameters, to the bit.
 *
 * How many steps the faults leave time for is known only afterwards. So the attacked run is begun without an end; when
 * the faults are over it is stopped, resumed with an end (`metaTraining.steps` may change), and finished.
 */
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { type RunEventRecord, writeConfiguration } from "@mzsr/shared";
import { smallImages } from "../support/small-run.js";
import { Attack, type InjectedFault, type WorkerStart } from "./attack.js";
import { CampaignFolder } from "./campaign-folder.js";
import { Cluster, type ClusterOptions, type CoordinatorPlace } from "./cluster.js";
import { campaignConfiguration, PRETRAINING_STEPS } from "./configuration.js";
import { type Fault, faultSchedule, workerName } from "./faults.js";
import { Observer } from "./observer.js";
import { fixedPorts } from "./ports.js";
import { fileSha256, mergeSteps, readEvents, readSteps, StepHistory, type StepRecord } from "./records.js";
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

/** Steps after the last fault. */
const LAST_STEPS = 10;

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

async function attackedRun(options: CampaignOptions, folder: CampaignFolder) {
  const { seed, signal, say, standby } = options;
  const surroundings = await folder.surroundings("attacked");
  const coordinators = await coordinatorPlaces(standby ? 2 : 1, (name) => folder.attackedRun(name));
  const history = new StepHistory();
  const remember = async () => {
    for (const { runFolder } of coordinators) history.add(await readSteps(runFolder));
  };
  const configure = (metaSteps?: number) =>
    writeConfiguration(configurationIn(surroundings), campaignConfiguration(folder.data, seed, metaSteps));
  const cluster = new Cluster(await clusterOptions(options, surroundings, coordinators, remember));
  const observer = new Observer(cluster);
  // Coordinators that stand by share a disk here, which real ones do not: filling it would hurt all of them.
  const disk = standby ? undefined : folder.disk;
  const onFault = (fault: Fault) => say(describe(fault));
  const { runFolder } = coordinators[0]!;
  const attack = new Attack({ cluster, observer, folder: surroundings, runFolder, disk, signal, onFault });
  const finish = async () => {
    // One that is still starting does not listen to signals yet.
    await observer.until(({ workers }) => workers.some(({ state }) => state === "active"));
    const exit = await cluster.stopCoordinators();
    if (exit.code !== 0) attack.problems.push(`the coordinator, asked to stop, ended with ${exit.signal ?? exit.code}`);
    await configure((await stepsOf(coordinators)).length + LAST_STEPS - PRETRAINING_STEPS);
    await cluster.runCoordinators();
  };
  try {
    await configure();
    cluster.startNats();
    void cluster.runCoordinators();
    for (const worker of firstWorkers(options)) cluster.startWorker(worker);
    await orAbort(
      observer.until(({ step }) => step > 0),
      signal,
    );
    const schedule = faultSchedule({ ...options, count: options.faults, disk: disk !== undefined });
    const time = delay(1000 * options.seconds, undefined, { signal });
    await Promise.race([Promise.all([attack.run(schedule), time]), observer.stuck]);
    await orAbort(attack.drill(options.drills), signal);
    await orAbort(Promise.race([finish(), observer.stuck]), signal);
  } finally {
    await observer.stop();
    await cluster.end();
  }
  await remember();
  return {
    injected: attack.injected,
    steps: await stepsOf(coordinators),
    history: history.steps,
    events: (await Promise.all(coordinators.map((place) => readEvents(place.runFolder)))).flat(),
    // Who stands by is started without being waited for.
    coordinatorStarts: standby ? [] : cluster.coordinatorStarts,
    workerStarts: attack.workerStarts,
    counters: observer.counters,
    problems: [...attack.problems, ...cluster.surprises],
    attackedModels: await models(coordinators),
  };
}

/** As many steps again with one coordinator and nothing in the way. */
async function quietRun(options: CampaignOptions, folder: CampaignFolder, metaSteps: number) {
  const surroundings = await folder.surroundings("quiet");
  const coordinators = await coordinatorPlaces(1, (name) => folder.quietRun(name));
  const configuration = campaignConfiguration(folder.data, options.seed, metaSteps);
  await writeConfiguration(configurationIn(surroundings), configuration);
  const cluster = new Cluster(await clusterOptions(options, surroundings, coordinators, async () => undefined));
  const observer = new Observer(cluster);
  try {
    cluster.startNats();
    const completed = cluster.runCoordinators();
    for (const worker of firstWorkers(options)) cluster.startWorker(worker);
    await orAbort(Promise.race([completed, observer.stuck]), options.signal);
  } finally {
    await observer.stop();
    await cluster.end();
  }
  return { quietSteps: await stepsOf(coordinators), quietModels: await models(coordinators) };
}

async function coordinatorPlaces(count: number, runFolder: (name: string) => string): Promise<CoordinatorPlace[]> {
  const ports = await fixedPorts(2 * count);
  return Array.from({ length: count }, (_, i) => {
    const name = `coordinator-${i + 1}`;
    return { name, runFolder: runFolder(name), grpcPort: ports[2 * i]!, httpPort: ports[2 * i + 1]! };
  });
}

async function clusterOptions(
  { nats }: CampaignOptions,
  folder: string,
  coordinators: readonly CoordinatorPlace[],
  onCoordinatorGone: ClusterOptions["onCoordinatorGone"],
): Promise<ClusterOptions> {
  const natsPort = nats ? (await fixedPorts(1))[0] : undefined;
  return { folder, coordinators, configuration: configurationIn(folder), natsPort, onCoordinatorGone };
}

async function stepsOf(coordinators: readonly CoordinatorPlace[]): Promise<StepRecord[]> {
  return mergeSteps(await Promise.all(coordinators.map(({ runFolder }) => readSteps(runFolder))));
}

function models(coordinators: readonly CoordinatorPlace[]): Promise<(string | undefined)[]> {
  return Promise.all(coordinators.map(({ runFolder }) => fileSha256(join(runFolder, "model.safetensors"))));
}

function configurationIn(folder: string): string {
  return join(folder, "configuration.yaml");
}

function firstWorkers({ workers }: CampaignOptions): string[] {
  return Array.from({ length: workers }, (_, i) => workerName(i + 1));
}

function describe({ atSeconds, kind, worker, seconds }: Fault): string {
  const length = seconds === undefined ? "" : ` for ${seconds.toFixed(1)} s`;
  return `${atSeconds.toFixed(1).padStart(6)} s  ${kind}${worker === undefined ? "" : ` ${worker}`}${length}`;
}

/** Rejects as soon as `signal` is aborted. */
async function orAbort<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  let stop = () => {};
  const aborted = new Promise<never>((_, reject) => {
    stop = () => reject(signal.reason);
    signal.addEventListener("abort", stop, { once: true });
  });
  return Promise.race([promise, aborted]).finally(() => signal.removeEventListener("abort", stop));
}
