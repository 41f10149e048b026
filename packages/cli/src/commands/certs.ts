import { Argument, Command } from "commander";
import type { CertsAction, CertsOptions } from "../certs/run-certs.js";
import type { Terminal } from "../progress/terminal.js";
import { wholeNumber } from "./arguments.js";

const ACTIONS: readonly CertsAction[] = ["init", "server", "client", "renew"];

export function certsCommand(terminal: Terminal): Command {
  return new Command("certs")
    .description("Make a private authority, and certificates with which coordinators and workers know each other.")
    .addArgument(
      new Argument("<what>", "an authority, a certificate of a coordinator, of a worker, or longer lives").choices(
        ACTIONS,
      ),
    )
    .argument(
      "[names...]",
      "of a server its host names and addresses, of a client a name; to renew, which (default: all that are due)",
    )
    .option("--dir <dir>", "folder of the authority and what it signed", "certs")
    .option("--days <n>", "how long what is signed is valid", wholeNumber(1, 3_650), 365)
    .option("--force", "replace files that are there")
    .addHelpText(
      "after",
      "\nExample:\n  $ npx mzsr certs init\n  $ npx mzsr certs server trainer.example 10.0.0.5\n  $ npx mzsr certs client worker-1\n  $ npx mzsr certs renew\n",
    )
    .action(async (what: CertsAction, names: string[], options: CertsOptions) => {
      const { runCerts } = await import("../certs/run-certs.js");
      await runCerts(what, names, options, terminal);
    });
}
