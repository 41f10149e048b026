import { InputError, RunError } from "@mzsr/mzsr";
import { chooseKernel } from "../photos/kernel-choice.js";
import type { Terminal } from "../progress/terminal.js";
import { reportOnRun } from "../report/report-on-run.js";
import { natsFrom, type SecurityOptions, tensorBoardFrom, tokenFrom } from "./link-options.js";
import { terminalLogger } from "./logger.js";
import { prepareRun, type RunOptions } from "./prepare-run.js";
import { startRun } from "./start-run.js";
import { StopSignals } from "./stop-signals.js";

export interface CoordinatorCommandOptions extends RunOptions, SecurityOptions {
  readonly host: string;
  readonly port: number;
  readonly httpHost?: string;
  readonly httpPort: number;
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
  const tensorboard = tensorBoardFrom(options);
  const run = await prepareRun(options, new Date());
  const logger = terminalLogger(terminal, options.logLevel, { run: run.name });
  const start = startRun(run, {
    listen: { host: options.host, httpHost: options.httpHost, grpcPort: options.port, httpPort: options.httpPort },
    nats,
    token,
    tls,
    tensorboard,
    logger,
  });
  const started = await signals.duringStart(start);
  const { coordinator } = started;
  logger.info(
    { grpc: coordinator.grpcAddress, page: started.url },
    `ready: workers join with npx mzsr worker --coordinator ${coordinator.grpcAddress}`,
  );
  try {
    const stoppedAtOnce = new Promise<never>((_, reject) => {
      signals.take((count) => {
        if (count > 1) return reject(new RunError("stopped at once; the newest checkpoint stays"));
        logger.info("stopping: finishing the step, then a checkpoint");
        coordinator.stop("stopped by a signal").catch(reject);
      });
    });
    const end = await Promise.race([coordinator.finished, stoppedAtOnce]);
    logger.info({ step: end.step, complete: end.complete }, end.complete ? "finished" : "stopped; --resume goes on");
    if (end.complete && options.report === true) await reportOnRun(run.folder, options.kernel, terminal);
  } finally {
    await started.withdraw();
  }
}

/** @throws InputError for options that mean nothing to a coordinator that nobody stands by */
function checkAlone({ advertise, natsReplicas }: CoordinatorCommandOptions): void {
  const where = advertise !== undefined ? "--advertise" : natsReplicas !== undefined ? "--nats-replicas" : undefined;
  if (where !== undefined)
    throw new InputError("means nothing without --standby", { where, expected: "--standby, too" });
}

/** The coordinator's side of TLS, if flags ask for any. @throws InputError when one of the files is not named */
export function tlsFrom({ tlsCert, tlsKey, tlsCa }: CoordinatorCommandOptions) {
  if (tlsCert === undefined && tlsKey === undefined && tlsCa === undefined) return undefined;
  if (tlsCert === undefined || tlsKey === undefined) {
    throw new InputError("TLS needs a certificate and its key", { expected: "--tls-cert and --tls-key" });
  }
  return { certFile: tlsCert, keyFile: tlsKey, clientCaFile: tlsCa };
}
