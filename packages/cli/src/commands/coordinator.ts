import { Command } from "commander";
import type { CoordinatorCommandOptions } from "../cluster/run-coordinator.js";
import type { Terminal } from "../progress/terminal.js";
import { notEmpty, portNumber, WORKERS_PORT, wholeNumber } from "./arguments.js";
import { addHttpOptions } from "./http-options.js";
import { addRunOptions } from "./run-options.js";
import { addSecurityOptions } from "./security-options.js";

export function coordinatorCommand(terminal: Terminal): Command {
  const command = new Command("coordinator").description(
    "Owns the parameters: draws tasks, leases them to workers, updates, keeps the run folder, serves HTTP.",
  );
  return addHttpOptions(addSecurityOptions(addRunOptions(command)))
    .option("--host <address>", "interface to listen on; 0.0.0.0 lets workers on other machines join", "127.0.0.1")
    .option("--port <port>", "gRPC port for workers, 0 for a free one", portNumber, WORKERS_PORT)
    .option(
      "--token-list <file>",
      "list of join tokens and which are revoked (default: that of --token-file, and .list)",
    )
    .option("--insecure", "with another --host, without a token and --tls-ca: let everybody join who reaches it")
    .option(
      "--max-connections <n>",
      "connections of workers that are taken in all (default: 8000)",
      wholeNumber(1, 1_000_000),
    )
    .option("--http-host <address>", "interface of the page and the metrics (default: that of --host)")
    .option("--http-port <port>", "port of the page and the metrics, 0 for a free one", portNumber, 7701)
    .option(
      "--metrics-hosts <names>",
      "hosts that workers may name for their metrics, beside the address that they connect from; else MZSR_METRICS_HOSTS",
      notEmpty,
    )
    .option(
      "--standby",
      "share the run with other coordinators of the same --run name: one leads, the others take over (needs --nats with JetStream)",
    )
    .option(
      "--advertise <host>",
      "with --standby: where workers reach this machine (default: --host, or the host's name)",
    )
    .option(
      "--nats-replicas <n>",
      "with --standby: servers of a NATS cluster that keep a copy of the lead and the checkpoints (default: 1)",
      wholeNumber(1, 5),
    )
    .option(
      "--stay",
      "when the run is finished, go on serving its page, metrics and model until SIGTERM; workers are sent home",
    )
    .option("--report", "after training, evaluate on photos that were held out and write report/")
    .option("--kernel <k>", "kernel that the report degrades the photos with", "g2.0")
    .addHelpText(
      "after",
      "\nExample:\n  $ npx mzsr coordinator --preset paper --data photos --run runs/paper --host 0.0.0.0 --token-file token --nats 10.0.0.2:4222\n",
    )
    .action(async (options: CoordinatorCommandOptions) => {
      if (options.standby === true) {
        const { runStandby } = await import("../cluster/run-standby.js");
        return runStandby(options, terminal);
      }
      const { runCoordinator } = await import("../cluster/run-coordinator.js");
      return runCoordinator(options, terminal);
    });
}
