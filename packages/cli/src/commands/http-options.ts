/** The options of whatever serves HTTP: under which names, and to whom. */
import type { Command } from "commander";
import { notEmpty } from "./arguments.js";

/** Adds the options to a command. */
export function addHttpOptions(command: Command): Command {
  return addHttpSecret(command).option(
    "--allowed-hosts <names>",
    "further names that HTTP is answered under, with commas between them, *.example.org for all below; else MZSR_ALLOWED_HOSTS",
    notEmpty,
  );
}

/** Adds the option of who asks, or is asked, over HTTP. */
export function addHttpSecret(command: Command): Command {
  return command.option(
    "--http-token-file <file>",
    "file with the secret of the page and the metrics (bearer token, or password of any user); else MZSR_HTTP_TOKEN",
  );
}
