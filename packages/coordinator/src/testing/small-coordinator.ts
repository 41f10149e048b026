/** Starts the coordinator of a small run for a test, and lets it go when the test is over. */
import { join } from "node:path";
import { ScriptedWorker } from "@mzsr/testing/scripted-worker";
import { smallConfiguration, smallImages } from "@mzsr/testing/small-run";
import pino from "pino";
import { onTestFinished } from "vitest";
import type { CoordinatorOptions, RunningCoordinator } from "../options.js";
import { startCoordinator } from "../start-coordinator.js";

/** @param folder holds the images and the run */
export async function smallCoordinator(
  folder: string,
  changes: Partial<CoordinatorOptions> = {},
): Promise<RunningCoordinator> {
  const coordinator = await startCoordinator({
    configuration: smallConfiguration(),
    runFolder: join(folder, "run"),
    runName: "run",
    images: await smallImages(folder),
    listen: { host: "127.0.0.1", grpcPort: 0, httpPort: 0 },
    resume: false,
    logger: pino({ level: "silent" }),
    ...changes,
  });
  onTestFinished(() => coordinator.abandon("the test is over"));
  return coordinator;
}

export function workerOf(coordinator: RunningCoordinator): ScriptedWorker {
  const worker = ScriptedWorker.at(coordinator.grpcAddress);
  onTestFinished(() => worker.client.close());
  return worker;
}
