import { Argument, Command } from "commander";
import type { TokenAction, TokenOptions } from "../join-tokens/run-token.js";
import type { Terminal } from "../progress/terminal.js";
import { duration, notEmpty } from "./arguments.js";

const ACTIONS: readonly TokenAction[] = ["create", "revoke", "list"];
const MOST_DAYS = 30;

export function tokenCommand(terminal: Terminal): Command {
  return new Command("token")
    .description(
      "Make join tokens from a cluster's secret: each lets workers into one run, for some hours or until it is revoked.",
    )
    .addArgument(new Argument("<what>", "make a token, revoke some, or list them all").choices(ACTIONS))
    .argument("[ids...]", "which to revoke")
    .option("--token-file <file>", "file with the cluster's secret; else MZSR_TOKEN")
    .option(
      "--token-list <file>",
      "list of the tokens, for coordinators to read (default: that of --token-file, and .list)",
    )
    .option("--run <name>", "run that it lets workers into", notEmpty)
    .option("--ttl <time>", "how long: 90s, 30m, 2h, 1d", duration(MOST_DAYS), 7_200)
    .option("--note <text>", "for whom it is, for the list")
    .option("-o, --output <file>", "write the token into a file that only you can read (default: print it)")
    .option("--json", "print JSON")
    .addHelpText(
      "after",
      "\nExample:\n  $ npx mzsr token create --token-file secret --run first --ttl 2h -o worker.token\n  $ npx mzsr token list --token-file secret\n  $ npx mzsr token revoke 5f2c9a01b3d4 --token-file secret\n",
    )
    .action(async (what: TokenAction, ids: string[], options: TokenOptions) => {
      const { runToken } = await import("../join-tokens/run-token.js");
      await runToken(what, ids, options, terminal);
    });
}
