import { homedir } from "node:os";
import { join } from "node:path";
import { RunError } from "@mzsr/shared";
import { startWorker } from "@mzsr/worker";
import type { WorkerCommandOptions } from "../commands/worker.js";
import { backendName } from "../compute/use-backend.js";
import { terminalLogger } from "../run/logger.js";
import { onStopSignals } from "../run/stop-signals.js";
import type { Terminal } from "../terminal/terminal.js";
import { natsFrom, tokenFrom } from "./link-options.js";

/** `mzsr worker`. @throws InputError, RunError */
export async function runWorker(options: WorkerCommandOptions, terminal: Terminal): Promise<void> {
  const worker = await startWorker({
    coordinator: options.coordinator,
    name: options.name,
    slots: options.slots,
    backend: backendName(options.backend),
    nats: natsFrom(options),
    token: await tokenFrom(options),
    tls: tlsFrom(options),
    cacheDir: options.cacheDir ?? defaultCacheFolder(),
    localImages: options.localImages,
    metricsPort: options.metricsPort,
    metricsHost: options.metricsHost,
    connectTimeout: options.connectTimeout,
    logger: terminalLogger(terminal, options.logLevel, options.name === undefined ? {} : { worker: options.name }),
  });
  const stopObserving = onStopSignals((count) => worker.drain(count > 1 ? "stopped at once" : "stopped by a signal"));
  // A parent that started this process with a channel (mzsr up) and is gone needs no results any more.
  process.once("disconnect", () => process.exit(1));
  try {
    const end = await worker.finished;
    if (!end.ok) throw new RunError(end.reason);
  } finally {
    stopObserving();
  }
}

function tlsFrom({ tls, tlsCert, tlsKey, tlsCa }: WorkerCommandOptions) {
  if (tls !== true && tlsCert === undefined && tlsKey === undefined && tlsCa === undefined) return undefined;
  return { caFile: tlsCa, certFile: tlsCert, keyFile: tlsKey };
}

function defaultCacheFolder(): string {
  return join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "mzsr", "images");
}
