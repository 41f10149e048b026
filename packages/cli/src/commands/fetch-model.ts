import { Command } from "commander";
import type { FetchModelOptions } from "../model-files/run-fetch-model.js";
import type { Terminal } from "../progress/terminal.js";
import { addHttpSecret } from "./http-options.js";

export function fetchModelCommand(terminal: Terminal): Command {
  const command = new Command("fetch-model")
    .description("Fetch the finished model of a run from its coordinator, over HTTP.")
    .requiredOption("--from <url>", "address of the page, http://HOST:7701 for instance")
    .option("--run <name>", "another run beside the one that is live there")
    .option("-o, --output <file>", "file to write", "model.safetensors")
    .option("--force", "replace the file of that name")
    .option("--json", "print JSON");
  return addHttpSecret(command)
    .addHelpText("after", "\nExample:\n  $ npx mzsr fetch-model --from http://10.0.0.5:7701 -o first.safetensors\n")
    .action(async (options: FetchModelOptions) => {
      const { runFetchModel } = await import("../model-files/run-fetch-model.js");
      await runFetchModel(options, terminal);
    });
}
