/** The options that coordinator and worker share: how to reach NATS, and who may talk. Secrets come from files or the environment. */
import type { Command } from "commander";

/** Adds the options to a command. */
export function addSecurityOptions(command: Command): Command {
  return command
    .option(
      "--nats <servers>",
      "NATS servers, with commas between them; else MZSR_NATS (MZSR_NATS_USER, … for the rest)",
    )
    .option("--token-file <file>", "file with the secret that workers must show; else MZSR_TOKEN")
    .option("--tls-cert <file>", "PEM certificate of this side")
    .option("--tls-key <file>", "PEM key of this side")
    .option("--tls-ca <file>", "PEM authority that must have signed the other side's certificate")
    .option("--log-level <level>", "trace, debug, info, warn or error", "info");
}
