/**
 * A campaign: a cluster of real processes trains while everything that can go wrong goes wrong, and then as many steps
 * are trained once more in peace. Both must end with the same parameters, to the bit.
 *
 * How many steps the faults leave time for is known only afterwards. So the attacked run is begun without an end; when
 * the faults are over it is stopped, resumed with an end (`metaTraining.steps` may change), and finished.
 */
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { type RunEventRecord, writeConfiguration } from "@mzsr/shared";
import { smallImages } from "../support/small-run.js";
import { Attack, type InjectedFault, type WorkerStart } from "./attack.js";
import { Cluster, type ClusterOptions } from "./cluster.js";
import { campaignConfiguration, PRETRAINING_STEPS } from "./configuration.js";
import { mountSmallDisk, type SmallDisk } from "./disk.js";
import { type Fault, faultSchedule, workerName } from "./faults.js";
import { Observer } from "./observer.js";
import { fixedPorts } from "./ports.js";
import { fileSha256, readEvents, readSteps, StepHistory, type StepRecord } from "./records.js";

export interface CampaignOptions {
  readonly seed: number;
  /** How long faults strike. */
  readonly seconds: number;
  readonly faults: number;
  readonly workers: number;
  /** Whether there is a nats-server to use and to hurt. */
  readonly nats: boolean;
  /** Aborting it ends the campaign, and every process. */
  readonly signal: AbortSignal;
  readonly say: (line: string) => void;
}

/** What a campaign saw. */
export interface CampaignRecord {
  readonly seed: number;
  readonly workers: number;
  readonly injected: readonly InjectedFault[];
  /** The steps of the attacked run, and of the quiet one. */
  readonly steps: readonly StepRecord[];
  readonly quietSteps: readonly StepRecord[];
  /** Every step that the attacked run ever wrote down. */
  readonly history: readonly StepRecord[];
  readonly events: readonly RunEventRecord[];
  readonly coordinatorStarts: readonly number[];
  readonly workerStarts: readonly WorkerStart[];
  readonly counters: Readonly<Record<string, number>>;
  /** Hex SHA-256 of model.safetensors of both runs. */
  readonly models: readonly (string | undefined)[];
  /** What went wrong that must not, besides the parameters. */
  readonly problems: readonly string[];
}

/** Steps after the last fault. */
const LAST_STEPS = 10;
const DISK_MEBIBYTES = 48;

/**
 * Runs a campaign. Its folder is kept when something was wrong.
 * @throws Error when training stands still, or on abort
 */
export async function runCampaign(options: CampaignOptions): Promise<CampaignRecord> {
  const folder = await mkdtemp(join(tmpdir(), "mzsr-chaos-"));
  const disk = await mountSmallDisk(join(folder, "disk"), DISK_MEBIBYTES);
  if (disk === undefined) options.say("the full disk is skipped: mounting a small one needs root");
  try {
    const data = join(folder, "photos");
    await smallImages(data);
    const attacked = await attackedRun(options, folder, data, disk);
    const steps = attacked.steps.length;
    options.say(`${attacked.injected.length} faults are over after ${steps} steps; the same steps in peace`);
    const quiet = await quietRun(options, folder, data, steps - PRETRAINING_STEPS);
    return {
      seed: options.seed,
      workers: options.workers,
      ...attacked,
      ...quiet,
      models: [attacked.model, quiet.model],
    };
  } finally {
    await disk?.unmount();
    await rm(folder, { recursive: true, force: true });
  }
}

async function attackedRun(options: CampaignOptions, folder: string, data: string, disk: SmallDisk | undefined) {
  const { seed, signal, say } = options;
  const runFolder = join(folder, "disk", "run");
  const history = new StepHistory();
  const remember = async () => history.add(await readSteps(runFolder));
  const cluster = await makeCluster(options, join(folder, "attacked"), runFolder, remember);
  await cluster.configure(campaignConfiguration(data, seed));
  const observer = new Observer(cluster.processes);
  const attack = new Attack({
    cluster: cluster.processes,
    observer,
    folder: cluster.folder,
    runFolder,
    disk,
    signal,
    onFault: (fault) => say(describe(fault)),
  });
  const names = Array.from({ length: options.workers }, (_, i) => workerName(i + 1));
  try {
    cluster.processes.start(names);
    await orAbort(
      observer.until(({ step }) => step > 0),
      signal,
    );
    const schedule = faultSchedule({ ...options, count: options.faults, disk: disk !== undefined });
    await Promise.race([
      Promise.all([attack.run(schedule), delay(1000 * options.seconds, undefined, { signal })]),
      observer.stuck,
    ]);
    await cluster.processes.stopCoordinator();
    const done = (await readSteps(runFolder)).length;
    await cluster.configure(campaignConfiguration(data, seed, done + LAST_STEPS - PRETRAINING_STEPS));
    cluster.processes.startCoordinator();
    await orAbort(Promise.race([cluster.processes.completed, observer.stuck]), signal);
  } catch (thrown) {
    say(`the coordinator said last:\n${cluster.processes.coordinator.tail}`);
    throw thrown;
  } finally {
    await observer.stop();
    await cluster.processes.end();
  }
  await remember();
  return {
    injected: attack.injected,
    steps: await readSteps(runFolder),
    history: history.steps,
    events: await readEvents(runFolder),
    coordinatorStarts: cluster.processes.coordinatorStarts,
    workerStarts: attack.workerStarts,
    counters: observer.counters,
    problems: [...attack.problems, ...cluster.processes.surprises],
    model: await fileSha256(join(runFolder, "model.safetensors")),
  };
}

async function quietRun(options: CampaignOptions, folder: string, data: string, metaSteps: number) {
  const runFolder = join(folder, "quiet", "run");
  const cluster = await makeCluster(options, join(folder, "quiet"), runFolder, async () => undefined);
  await cluster.configure(campaignConfiguration(data, options.seed, metaSteps));
  const names = Array.from({ length: options.workers }, (_, i) => workerName(i + 1));
  const observer = new Observer(cluster.processes);
  try {
    cluster.processes.start(names);
    await orAbort(Promise.race([cluster.processes.completed, observer.stuck]), options.signal);
  } finally {
    await observer.stop();
    await cluster.processes.end();
  }
  return { quietSteps: await readSteps(runFolder), model: await fileSha256(join(runFolder, "model.safetensors")) };
}

async function makeCluster(
  { nats }: CampaignOptions,
  folder: string,
  runFolder: string,
  onCoordinatorGone: ClusterOptions["onCoordinatorGone"],
) {
  await mkdir(folder, { recursive: true });
  const configuration = join(folder, "configuration.yaml");
  const [grpc, http, natsPort] = (await fixedPorts(3)) as [number, number, number];
  const ports = { grpc, http, nats: natsPort };
  return {
    folder,
    processes: new Cluster({ folder, runFolder, configuration, ports, nats, onCoordinatorGone }),
    configure: (wanted: Parameters<typeof writeConfiguration>[1]) => writeConfiguration(configuration, wanted),
  };
}

function describe({ atSeconds, kind, worker, seconds }: Fault): string {
  const length = seconds === undefined ? "" : ` for ${seconds.toFixed(1)} s`;
  return `${atSeconds.toFixed(1).padStart(6)} s  ${kind}${worker === undefined ? "" : ` ${worker}`}${length}`;
}

async function orAbort<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  let stop = () => {};
  const aborted = new Promise<never>((_, reject) => {
    stop = () => reject(signal.reason);
    signal.addEventListener("abort", stop, { once: true });
  });
  return Promise.race([promise, aborted]).finally(() => signal.removeEventListener("abort", stop));
}
