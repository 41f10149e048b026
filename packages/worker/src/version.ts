import { createRequire } from "node:module";

/** The version of this package, which the coordinator shows beside the worker's name. */
export const WORKER_VERSION: string = (createRequire(import.meta.url)("../package.json") as { version: string })
  .version;
