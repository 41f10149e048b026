import { homedir } from "node:os";
import { join } from "node:path";
import { InputError } from "@mzsr/mzsr";
import { connectNats, findLeader, type NatsOptions } from "@mzsr/shared";
import { startWorker, type WorkerOptions } from "@mzsr/worker";
import { backendName } from "../photos/use-backend.js";
import type { Terminal } from "../progress/terminal.js";
import { type HttpOptions, httpGuardFrom } from "./http-access.js";
import { natsFrom, type SecurityOptions, tokenFrom } from "./link-options.js";
import { terminalLogger } from "./logger.js";
import { StopSignals } from "./stop-signals.js";

export interface WorkerCommandOptions extends SecurityOptions, HttpOptions {
  readonly coordinator?: string;
  readonly run?: string;
  readonly name?: string;
  readonly slots?: number;
  readonly cores?: number;
  readonly backend: string;
  readonly device?: number;
  readonly gpuMemory?: number;
  readonly cacheDir?: string;
  readonly localImages?: readonly string[];
  readonly metricsHost: string;
  readonly metricsPort?: number;
  readonly connectTimeout: number;
  readonly tls?: boolean;
  readonly insecure?: boolean;
  readonly proxy?: boolean;
}

/** How long one attempt to connect waits for a leader to show itself. */
const LEADER_WAIT_MS = 5_000;

/** `mzsr worker`. @throws InputError, RunError */
export async function runWorker(options: WorkerCommandOptions, terminal: Terminal): Promise<void> {
  const nats = natsFrom(options);
  const token = await tokenFrom(options);
  checkSecret(options, token);
  const coordinator = coordinatorFrom(options, nats);
  const signals = new StopSignals();
  try {
    await work(options, { nats, token, coordinator: coordinator.find }, signals, terminal);
  } finally {
    signals.close();
    await coordinator.close();
  }
}

async function work(
  options: WorkerCommandOptions,
  { nats, token, coordinator }: Pick<WorkerOptions, "nats" | "token" | "coordinator">,
  signals: StopSignals,
  terminal: Terminal,
): Promise<void> {
  exitWithParent();
  const start = startWorker({
    coordinator,
    name: options.name,
    slots: options.slots,
    cores: options.cores,
    device: options.device,
    gpuMemoryBytes: options.gpuMemory === undefined ? undefined : options.gpuMemory * 1e9,
    backend: backendName(options.backend),
    nats,
    token,
    tls: tlsFrom(options),
    proxy: options.proxy,
    cacheDir: options.cacheDir ?? defaultCacheFolder(),
    localImages: options.localImages,
    metricsPort: options.metricsPort,
    metricsHost: options.metricsHost,
    http: httpGuardFrom(options),
    connectTimeout: options.connectTimeout,
    logger: terminalLogger(terminal, options.logLevel, options.name === undefined ? {} : { worker: options.name }),
  });
  const worker = await signals.duringStart(start);
  signals.take((count) => worker.drain(count > 1 ? "stopped at once" : "stopped by a signal"));
  const end = await worker.finished;
  if (!end.ok) {
    throw new InputError(`the coordinator refused this worker: ${end.reason}`, {
      expected: fitting(end.reason, options),
    });
  }
}

/**
 * Whoever may publish on NATS may say that it leads: without an authority that only the cluster's coordinators have a
 * certificate of, the token would go to it.
 * @throws InputError
 */
function checkSecret({ run, tlsCa, insecure }: WorkerCommandOptions, token: string | undefined): void {
  if (run === undefined || token === undefined || tlsCa !== undefined || insecure === true) return;
  throw new InputError("the token would go to whoever says over NATS that it leads", {
    where: `--run ${run}`,
    expected: "--tls-ca with the authority of the coordinators' certificates, --coordinator HOST:PORT, or --insecure",
  });
}

/** What would not be refused. */
function fitting(reason: string, { tokenFile }: WorkerCommandOptions): string {
  if (!/\btoken\b/.test(reason)) return "a worker that fits the run: its token, backend and version";
  const given =
    tokenFile !== undefined
      ? `that of --token-file ${tokenFile} is another`
      : process.env.MZSR_TOKEN
        ? "that of MZSR_TOKEN is another"
        : "none is given here";
  return `the coordinator's secret, in MZSR_TOKEN or in a file that --token-file names; ${given}`;
}

/**
 * A parent that started this process with a channel (`mzsr up`) and is gone needs no results any more. It may go at any
 * moment, also while this process is still starting.
 */
function exitWithParent(): void {
  if (process.connected === false) process.exit(1);
  process.once("disconnect", () => process.exit(1));
}

/** Where the coordinator is: said, or asked of NATS before every connection. */
function coordinatorFrom({ coordinator, run }: WorkerCommandOptions, nats: NatsOptions | undefined) {
  if ((coordinator === undefined) === (run === undefined)) {
    throw new InputError(coordinator === undefined ? "no coordinator is named" : "two ways to find the coordinator", {
      expected: "--coordinator HOST:PORT, or --run NAME with --nats SERVERS",
    });
  }
  if (run === undefined) return { find: coordinator!, close: async () => undefined };
  if (nats === undefined) throw new InputError("--run needs NATS", { expected: "--nats SERVERS" });
  const link = connectNats({ ...nats, role: "worker" }, "mzsr-worker-leader");
  return { find: () => findLeader(link, run, LEADER_WAIT_MS), close: () => link.close() };
}

function tlsFrom({ tls, tlsCert, tlsKey, tlsCa }: WorkerCommandOptions) {
  if (tls !== true && tlsCert === undefined && tlsKey === undefined && tlsCa === undefined) return undefined;
  return { caFile: tlsCa, certFile: tlsCert, keyFile: tlsKey };
}

function defaultCacheFolder(): string {
  return join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "mzsr", "images");
}
