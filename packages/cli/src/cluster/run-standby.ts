import { type StandbyCoordinator, startStandby } from "@mzsr/coordinator";
import { InputError, RunError } from "@mzsr/mzsr";
import type { NatsOptions } from "@mzsr/shared";
import { heldOutPhotos } from "../photos/embedded-photos.js";
import { previewComputer } from "../previews/preview-computer.js";
import type { Terminal } from "../progress/terminal.js";
import { validationOptions } from "../validation/validation-options.js";
import { announce, withdraw } from "./announcement.js";
import { imagePaths } from "./image-paths.js";
import { natsFrom, stayFrom, tensorBoardFrom, tokenFrom, tokenListFrom } from "./link-options.js";
import { terminalLogger } from "./logger.js";
import { prepareRun } from "./prepare-run.js";
import { isOpen, reachableAddress } from "./reachable.js";
import {
  type CoordinatorCommandOptions,
  everybodyMayJoin,
  httpAccessFrom,
  listenFrom,
  tlsFrom,
} from "./run-coordinator.js";
import { StopSignals } from "./stop-signals.js";

/** `mzsr coordinator --standby`: leads the run, or waits until it may. @throws InputError, RunError */
export async function runStandby(options: CoordinatorCommandOptions, terminal: Terminal): Promise<void> {
  const nats = natsFrom(options);
  if (nats === undefined) {
    throw new InputError("--standby needs NATS", { expected: "--nats SERVERS of a nats-server with JetStream (-js)" });
  }
  const signals = new StopSignals();
  try {
    await standBy(options, nats, signals, terminal);
  } finally {
    signals.close();
  }
}

async function standBy(
  options: CoordinatorCommandOptions,
  nats: NatsOptions,
  signals: StopSignals,
  terminal: Terminal,
): Promise<void> {
  const [token, tls] = [await tokenFrom(options), tlsFrom(options)];
  const open = isOpen({ ...options, token, tls });
  const [tensorboard, stay] = [tensorBoardFrom(options), stayFrom(options)];
  const run = await prepareRun({ ...options, resume: true }, new Date());
  const logger = terminalLogger(terminal, options.logLevel, { run: run.name });
  if (open) logger.warn(everybodyMayJoin(options));
  const start = startStandby({
    configuration: run.configuration,
    runFolder: run.folder,
    runName: run.name,
    images: await imagePaths(run.configuration),
    listen: listenFrom(options),
    http: httpAccessFrom(options),
    nats,
    token,
    tokenList: tokenListFrom(options),
    tls,
    advertise: options.advertise,
    tensorboard,
    stay,
    onStaying: ({ step }) => {
      logger.info(
        { step, complete: true },
        "finished; the page, the metrics and the model stay until Ctrl-C or SIGTERM",
      );
    },
    replicas: options.natsReplicas,
    previews: () => ({ photos: heldOutPhotos(), computer: previewComputer(run.configuration) }),
    validation: () => validationOptions(run.configuration),
    logger,
    stopping: signals.asked,
    onLeading: ({ grpcAddress, httpAddress }) => {
      const page = `http://${httpAddress}`;
      const reachable = { grpc: reachableAddress(grpcAddress), page: `http://${reachableAddress(httpAddress)}` };
      logger.info(reachable, `ready: workers join with npx mzsr worker --run ${run.name} --nats …`);
      void announce(run.folder, { grpc: grpcAddress, http: page, pid: process.pid });
    },
  });
  const standby = await signals.duringStart(start).catch((thrown: unknown) => {
    // Stopped while it waited for NATS: nothing has begun.
    if (thrown === signals.asked.reason) return undefined;
    throw thrown;
  });
  if (standby === undefined) return logger.info("stopped standing by");
  try {
    const end = await ended(standby, signals, (text) => logger.info(text));
    logger.info({ step: end.step, complete: end.complete }, end.complete ? "finished" : "stopped standing by");
  } finally {
    await withdraw(run.folder);
  }
}

/** How it ends by itself, or by signals: the first steps down, the second does not wait. */
async function ended(standby: StandbyCoordinator, signals: StopSignals, say: (text: string) => void) {
  const stoppedAtOnce = new Promise<never>((_, reject) => {
    signals.take((count) => {
      if (count > 1) return reject(new RunError("stopped at once; the newest checkpoint stays"));
      say("stepping down");
      standby.stop("stopped by a signal").catch(reject);
    });
  });
  return Promise.race([standby.finished, stoppedAtOnce]);
}
