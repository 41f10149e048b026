/** A prepared run and its images, put into a coordinator. */
import { rmdir } from "node:fs/promises";
import {
  type CoordinatorOptions,
  type RunningCoordinator,
  startCoordinator,
  unclaimRunFolder,
} from "@mzsr/coordinator";
import { heldOutPhotos } from "../photos/embedded-photos.js";
import { previewComputer } from "../previews/preview-computer.js";
import { validationOptions } from "../validation/validation-options.js";
import { announce, withdraw } from "./announcement.js";
import { imagePaths } from "./image-paths.js";
import type { PreparedRun } from "./prepare-run.js";

/** What does not belong to the run itself. */
export type LinkOptions = Pick<
  CoordinatorOptions,
  "listen" | "http" | "nats" | "token" | "tokenList" | "tls" | "tensorboard" | "stay" | "onStaying" | "logger"
>;

export interface StartedRun {
  readonly coordinator: RunningCoordinator;
  /** URL of the page. */
  readonly url: string;
  /** The training images' files. */
  readonly images: readonly string[];
  /** Other commands on this machine no longer find the coordinator. */
  withdraw(): Promise<void>;
}

/**
 * A run that does not start leaves the folder as it was: no new one, nothing new in an empty one, and the run that it would
 * have replaced whole.
 * @throws InputError for images, ports, folders and files that are not usable
 */
export async function startRun(run: PreparedRun, options: LinkOptions): Promise<StartedRun> {
  try {
    return await startInFolder(run, options);
  } catch (thrown) {
    if (run.found !== "run") await unclaimRunFolder(run.folder);
    if (run.found === "nothing") await rmdir(run.folder).catch(() => undefined);
    throw thrown;
  }
}

async function startInFolder(run: PreparedRun, options: LinkOptions): Promise<StartedRun> {
  const images = await imagePaths(run.configuration);
  const coordinator = await startCoordinator({
    configuration: run.configuration,
    runFolder: run.folder,
    runName: run.name,
    images,
    resume: run.resume,
    replace: run.replace,
    previews: { photos: heldOutPhotos(), computer: previewComputer(run.configuration) },
    validation: await validationOptions(run.configuration),
    ...options,
  });
  const url = `http://${coordinator.httpAddress}`;
  await announce(run.folder, { grpc: coordinator.grpcAddress, http: url, pid: process.pid });
  return { coordinator, url, images, withdraw: () => withdraw(run.folder) };
}
