/** The run that nothing happens to. */
import { writeConfiguration } from "@mzsr/shared";
import type { CampaignOptions } from "./campaign.js";
import type { CampaignFolder } from "./campaign-folder.js";
import { Cluster } from "./cluster.js";
import { campaignConfiguration } from "./configuration.js";
import { Observer } from "./observer.js";
import { clusterOptions, configurationIn, coordinatorPlaces, firstWorkers, modelsIn, stepsIn } from "./places.js";
import { untilAborted } from "./until-aborted.js";

/** Trains with one coordinator and nothing in the way. */
export async function quietRun(options: CampaignOptions, folder: CampaignFolder, metaSteps: number) {
  const clusterFolder = await folder.clusterFolder("quiet");
  const coordinators = await coordinatorPlaces(1, (name) => folder.quietRun(name));
  const configuration = campaignConfiguration(folder.data, options.seed, metaSteps);
  await writeConfiguration(configurationIn(clusterFolder), configuration);
  const cluster = new Cluster(await clusterOptions(options, clusterFolder, coordinators, async () => undefined));
  const observer = new Observer(cluster);
  try {
    cluster.startNats();
    const completed = cluster.runCoordinators();
    for (const worker of firstWorkers(options)) cluster.startWorker(worker);
    await untilAborted(Promise.race([completed, observer.stuck]), options.signal);
  } finally {
    await observer.stop();
    await cluster.end();
  }
  return { quietSteps: await stepsIn(coordinators), quietModels: await modelsIn(coordinators) };
}
