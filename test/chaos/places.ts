/** Where the processes of a run live: folders, ports, names. */
import { join } from "node:path";
import type { CampaignOptions } from "./campaign.js";
import type { ClusterOptions, CoordinatorPlace } from "./cluster.js";
import { workerName } from "./faults.js";
import { fixedPorts } from "./ports.js";
import { fileSha256, mergeSteps, readSteps, type StepRecord } from "./records.js";

/** @param runFolder the run folder of a coordinator by its name */
export async function coordinatorPlaces(
  count: number,
  runFolder: (name: string) => string,
): Promise<CoordinatorPlace[]> {
  const ports = await fixedPorts(2 * count);
  return Array.from({ length: count }, (_, i) => {
    const name = `coordinator-${i + 1}`;
    return { name, runFolder: runFolder(name), grpcPort: ports[2 * i]!, httpPort: ports[2 * i + 1]! };
  });
}

/** @param folder for what is not the run's own: logs, caches, the configuration file */
export async function clusterOptions(
  { nats }: CampaignOptions,
  folder: string,
  coordinators: readonly CoordinatorPlace[],
  onCoordinatorGone: ClusterOptions["onCoordinatorGone"],
): Promise<ClusterOptions> {
  const natsPort = nats ? (await fixedPorts(1))[0] : undefined;
  return { folder, coordinators, configuration: configurationIn(folder), natsPort, onCoordinatorGone };
}

export function configurationIn(folder: string): string {
  return join(folder, "configuration.yaml");
}

export function firstWorkers({ workers }: CampaignOptions): string[] {
  return Array.from({ length: workers }, (_, i) => workerName(i + 1));
}

/** The steps that the coordinators' run folders hold now, as one run's. */
export async function stepsIn(coordinators: readonly CoordinatorPlace[]): Promise<StepRecord[]> {
  return mergeSteps(await Promise.all(coordinators.map(({ runFolder }) => readSteps(runFolder))));
}

/** Hex SHA-256 of each coordinator's finished model; undefined where there is none. */
export function modelsIn(coordinators: readonly CoordinatorPlace[]): Promise<(string | undefined)[]> {
  return Promise.all(coordinators.map(({ runFolder }) => fileSha256(join(runFolder, "model.safetensors"))));
}
