import { Command } from "commander";
import type { WorkerCommandOptions } from "../cluster/run-worker.js";
import type { Terminal } from "../progress/terminal.js";
import { collect, hostAndPort, portNumber, WORKERS_PORT, wholeNumber } from "./arguments.js";
import { backendOption, deviceOption, gpuMemoryOption } from "./backend-options.js";
import { addHttpOptions } from "./http-options.js";
import { addSecurityOptions } from "./security-options.js";

export function workerCommand(terminal: Terminal): Command {
  const command = new Command("worker")
    .description("Computes: takes tasks from a coordinator and sends meta-gradients back.")
    .option(
      "--coordinator <host:port>",
      `where the coordinator listens; of a host alone, port ${WORKERS_PORT}`,
      hostAndPort,
    )
    .option("--run <name>", "instead: ask NATS who leads this run, where coordinators stand by for each other");
  return addHttpOptions(addSecurityOptions(command))
    .option("--tls", "encrypt, trusting the system's authorities (implied by the other --tls options)")
    .option("--insecure", "with --run and a token: trust everybody who may publish on NATS, and go without --tls-ca")
    .option("--proxy", "connect through the proxy of the environment (grpc_proxy, https_proxy, http_proxy; no_proxy)")
    .option("--name <name>", "unique in the run (default: the host's name and something random)")
    .option(
      "--slots <n>",
      "tasks computed at a time (default: one per core; with webgpu what the GPU's memory holds, up to 32)",
      wholeNumber(1, 256),
    )
    .option("--cores <n>", "cores that it may keep busy (default: all)", wholeNumber(1, 1024))
    .addOption(backendOption())
    .addOption(deviceOption())
    .addOption(gpuMemoryOption())
    .option("--cache-dir <dir>", "folder for images that come from the coordinator")
    .option("--local-images <dir>", "folder that may already hold the run's images; may be repeated", collect)
    .option("--metrics-host <address>", "interface of /metrics", "127.0.0.1")
    .option("--metrics-port <port>", "serve Prometheus metrics, 0 for a free port", portNumber)
    .option(
      "--connect-timeout <seconds>",
      "how long to look for the coordinator at the start",
      wholeNumber(1, 86_400),
      60,
    )
    .addHelpText(
      "after",
      "\nExample:\n  $ npx mzsr worker --coordinator 10.0.0.5:7700 --backend auto --metrics-port 7702\n",
    )
    .action(async (options: WorkerCommandOptions) => {
      const { runWorker } = await import("../cluster/run-worker.js");
      await runWorker(options, terminal);
    });
}
