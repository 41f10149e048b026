import type { CoordinatorResult, RunningCoordinator } from "@mzsr/coordinator";
import { InputError, RunError } from "@mzsr/mzsr";
import { chooseKernel } from "../photos/kernel-choice.js";
import type { Terminal } from "../progress/terminal.js";
import { reportOnRun } from "../report/report-on-run.js";
import { type HttpOptions, httpGuardFrom, namesIn } from "./http-access.js";
import { natsFrom, type SecurityOptions, stayFrom, tensorBoardFrom, tokenFrom, tokenListFrom } from "./link-options.js";
import { terminalLogger } from "./logger.js";
import { prepareRun, type RunOptions } from "./prepare-run.js";
import { isOpen, reachableAddress } from "./reachable.js";
import { startRun } from "./start-run.js";
import { StopSignals } from "./stop-signals.js";

export interface CoordinatorCommandOptions extends RunOptions, SecurityOptions, HttpOptions {
  readonly host: string;
  readonly port: number;
  readonly insecure?: boolean;
  readonly tokenList?: string;
  readonly maxConnections?: number;
  readonly httpHost?: string;
  readonly httpPort: number;
  readonly metricsHosts?: string;
  readonly stay?: boolean;
  readonly report?: boolean;
  readonly kernel: string;
  readonly standby?: boolean;
  readonly advertise?: string;
  readonly natsReplicas?: number;
}

/** `mzsr coordinator`. @throws InputError, RunError */
export async function runCoordinator(options: CoordinatorCommandOptions, terminal: Terminal): Promise<void> {
  checkAlone(options);
  const signals = new StopSignals();
  try {
    await coordinateRun(options, signals, terminal);
  } finally {
    signals.close();
  }
}

async function coordinateRun(
  options: CoordinatorCommandOptions,
  signals: StopSignals,
  terminal: Terminal,
): Promise<void> {
  if (options.report === true) await chooseKernel(options.kernel);
  const [nats, token, tls] = [natsFrom(options), await tokenFrom(options), tlsFrom(options)];
  const open = isOpen({ ...options, token, tls });
  const [tensorboard, stay] = [tensorBoardFrom(options), stayFrom(options)];
  const run = await prepareRun(options, new Date());
  const logger = terminalLogger(terminal, options.logLevel, { run: run.name });
  if (open) logger.warn(everybodyMayJoin(options));
  let onStaying: (result: CoordinatorResult) => void = () => undefined;
  const staying = new Promise<CoordinatorResult>((resolve) => {
    onStaying = resolve;
  });
  const start = startRun(run, {
    listen: listenFrom(options),
    http: httpAccessFrom(options),
    nats,
    token,
    tokenList: tokenListFrom(options),
    tls,
    tensorboard,
    stay,
    onStaying,
    logger,
  });
  const started = await signals.duringStart(start);
  const { coordinator } = started;
  const grpc = reachableAddress(coordinator.grpcAddress);
  const page = `http://${reachableAddress(coordinator.httpAddress)}`;
  logger.info({ grpc, page }, `ready: workers join with npx mzsr worker --coordinator ${grpc}`);
  try {
    const stoppedAtOnce = new Promise<never>((_, reject) => {
      signals.take((count) => {
        if (count > 1) return reject(new RunError("stopped at once; the newest checkpoint stays"));
        logger.info(stopping(coordinator));
        coordinator.stop("stopped by a signal").catch(reject);
      });
    });
    const end = await Promise.race([staying, coordinator.finished, stoppedAtOnce]);
    logger.info({ step: end.step, complete: end.complete }, end.complete ? "finished" : "stopped; --resume goes on");
    if (end.complete && options.report === true) await reportOnRun(run.folder, options.kernel, terminal);
    if (!end.complete || !stay) return;
    logger.info(stayingAt(started.url));
    await Promise.race([coordinator.finished, stoppedAtOnce]);
  } finally {
    await started.withdraw();
  }
}

/** What a coordinator says that nobody must show anything to. */
export function everybodyMayJoin({ host }: CoordinatorCommandOptions): string {
  return `everybody who reaches ${host} may join and is sent the images (--insecure); a token or --tls-ca keeps strangers out`;
}

/** What a stop waits for. */
export function stopping(coordinator: RunningCoordinator): string {
  if (coordinator.modelPath !== undefined) return "stopping: the run is finished";
  return "stopping: finishing the step, then a checkpoint";
}

/** What can be done with a coordinator that stays. */
export function stayingAt(url: string): string {
  return `the page, the metrics and the model stay at ${url} until Ctrl-C or SIGTERM: npx mzsr fetch-model --from ${url}`;
}

/** @throws InputError for options that mean nothing to a coordinator that nobody stands by */
function checkAlone({ advertise, natsReplicas }: CoordinatorCommandOptions): void {
  const where = advertise !== undefined ? "--advertise" : natsReplicas !== undefined ? "--nats-replicas" : undefined;
  if (where !== undefined)
    throw new InputError("means nothing without --standby", { where, expected: "--standby, too" });
}

/** Who is answered over HTTP, and whom Prometheus is sent to. @throws InputError for a secret that cannot be read */
export function httpAccessFrom(options: CoordinatorCommandOptions) {
  const metricsHosts = namesIn(options.metricsHosts ?? process.env.MZSR_METRICS_HOSTS);
  return { ...httpGuardFrom(options, [options.advertise]), metricsHosts };
}

/** Where a coordinator listens. */
export function listenFrom({ host, port, maxConnections, httpHost, httpPort }: CoordinatorCommandOptions) {
  return { host, httpHost, grpcPort: port, httpPort, maxConnections };
}

/** The coordinator's side of TLS, if flags ask for any. @throws InputError when one of the files is not named */
export function tlsFrom({ tlsCert, tlsKey, tlsCa }: CoordinatorCommandOptions) {
  if (tlsCert === undefined && tlsKey === undefined && tlsCa === undefined) return undefined;
  if (tlsCert === undefined || tlsKey === undefined) {
    throw new InputError("TLS needs a certificate and its key", { expected: "--tls-cert and --tls-key" });
  }
  return { certFile: tlsCert, keyFile: tlsKey, clientCaFile: tlsCa };
}
