/** The run that everything happens to. */
import { setTimeout as delay } from "node:timers/promises";
import { writeConfiguration } from "@mzsr/shared";
import { Attack } from "./attack.js";
import type { CampaignOptions } from "./campaign.js";
import type { CampaignFolder } from "./campaign-folder.js";
import { Cluster, type CoordinatorPlace } from "./cluster.js";
import { campaignConfiguration, PRETRAINING_STEPS } from "./configuration.js";
import { type Fault, faultSchedule } from "./faults.js";
import { Observer } from "./observer.js";
import { clusterOptions, configurationIn, coordinatorPlaces, firstWorkers, modelsIn, stepsIn } from "./places.js";
import { readEvents, readSteps, StepHistory } from "./records.js";
import { untilAborted } from "./until-aborted.js";

/** Steps after the last fault. */
const LAST_STEPS = 10;

/** Trains under attack until the faults are over, and then to an end. */
export async function attackedRun(options: CampaignOptions, folder: CampaignFolder) {
  const coordinators = await coordinatorPlaces(options.standby ? 2 : 1, (name) => folder.attackedRun(name));
  const run = new AttackedRun(options, folder, coordinators, await folder.clusterFolder("attacked"));
  await run.train();
  return run.record();
}

class AttackedRun {
  readonly #options: CampaignOptions;
  readonly #folder: CampaignFolder;
  readonly #coordinators: readonly CoordinatorPlace[];
  /** For logs, caches and the configuration. */
  readonly #clusterFolder: string;
  readonly #history = new StepHistory();
  readonly #problems: string[] = [];
  #cluster!: Cluster;
  #observer!: Observer;
  #attack!: Attack;

  constructor(
    options: CampaignOptions,
    folder: CampaignFolder,
    coordinators: readonly CoordinatorPlace[],
    clusterFolder: string,
  ) {
    this.#options = options;
    this.#folder = folder;
    this.#coordinators = coordinators;
    this.#clusterFolder = clusterFolder;
  }

  async train(): Promise<void> {
    await this.#configure();
    const remember = () => this.#remember();
    this.#cluster = new Cluster(await clusterOptions(this.#options, this.#clusterFolder, this.#coordinators, remember));
    this.#observer = new Observer(this.#cluster);
    try {
      const { stuck } = this.#observer;
      const all = this.#begin().then(() => this.#suffer());
      await untilAborted(Promise.race([all.then(() => this.#finish()), stuck]), this.#options.signal);
    } finally {
      await this.#observer.stop();
      await this.#cluster.end();
      await this.#remember();
    }
  }

  async record() {
    const events = await Promise.all(this.#coordinators.map(({ runFolder }) => readEvents(runFolder)));
    return {
      injected: this.#attack.injected,
      steps: await stepsIn(this.#coordinators),
      history: this.#history.steps,
      events: events.flat().sort((a, b) => a.at - b.at),
      // Who stands by is started without being waited for.
      coordinatorStarts: this.#options.standby ? [] : this.#cluster.coordinatorStarts,
      workerStarts: this.#attack.workerStarts,
      counters: this.#observer.counters,
      problems: [...this.#problems, ...this.#attack.problems, ...this.#cluster.surprises],
      attackedModels: await modelsIn(this.#coordinators),
    };
  }

  /** Resolves with the first step. */
  async #begin(): Promise<void> {
    this.#cluster.startNats();
    void this.#cluster.runCoordinators();
    for (const worker of firstWorkers(this.#options)) this.#cluster.startWorker(worker);
    await this.#observer.until(({ step }) => step > 0);
  }

  async #suffer(): Promise<void> {
    const { signal, say, standby, seconds, faults, drills } = this.#options;
    // Coordinators that stand by share a disk here, which real ones do not: filling it would hurt all of them.
    const disk = standby ? undefined : this.#folder.disk;
    this.#attack = new Attack({
      cluster: this.#cluster,
      observer: this.#observer,
      folder: this.#clusterFolder,
      runFolder: this.#coordinators[0]!.runFolder,
      disk,
      signal,
      onFault: (fault) => say(describe(fault)),
    });
    const schedule = faultSchedule({ ...this.#options, count: faults, disk: disk !== undefined });
    await Promise.all([this.#attack.run(schedule), delay(1000 * seconds, undefined, { signal })]);
    await this.#attack.drill(drills);
  }

  /** Stops, and resumes with an end. */
  async #finish(): Promise<void> {
    // One that is still starting does not listen to signals yet.
    await this.#observer.until(({ workers }) => workers.some(({ state }) => state === "active"));
    const { code, signal } = await this.#cluster.stopCoordinators();
    if (code !== 0) this.#problems.push(`the coordinator, asked to stop, ended with ${signal ?? code}`);
    const { length } = await stepsIn(this.#coordinators);
    await this.#configure(length + LAST_STEPS - PRETRAINING_STEPS);
    await this.#cluster.runCoordinators();
  }

  #configure(metaSteps?: number): Promise<void> {
    const configuration = campaignConfiguration(this.#folder.data, this.#options.seed, metaSteps);
    return writeConfiguration(configurationIn(this.#clusterFolder), configuration);
  }

  async #remember(): Promise<void> {
    for (const { runFolder } of this.#coordinators) this.#history.add(await readSteps(runFolder));
  }
}

function describe({ atSeconds, kind, worker, seconds }: Fault): string {
  const length = seconds === undefined ? "" : ` for ${seconds.toFixed(1)} s`;
  return `${atSeconds.toFixed(1).padStart(6)} s  ${kind}${worker === undefined ? "" : ` ${worker}`}${length}`;
}
