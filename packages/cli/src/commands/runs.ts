import { Command, InvalidArgumentError } from "commander";
import type { RunsOptions } from "../inspect/list-runs.js";
import type { Terminal } from "../progress/terminal.js";
import { collect } from "./arguments.js";

/** A tag is one word, so that it can be searched for and read in a line. */
function collectTags(text: string, previous: readonly string[] | undefined): string[] {
  if (!/^[\p{L}\p{N}][\p{L}\p{N}._-]{0,39}$/u.test(text)) {
    throw new InvalidArgumentError("Expected a word of at most 40 letters, digits, dots, dashes and underlines.");
  }
  return collect(text, previous);
}

export function runsCommand(terminal: Terminal): Command {
  return new Command("runs")
    .description("List the runs in a folder, newest last; or write a note of a run, tag it, or remove it.")
    .argument("[dir]", "folder of run folders; with --note, --tag, --untag or --remove the folder of a run", "runs")
    .option("--search <text>", "only runs that have it in their name, note, tags or start")
    .option("--note <text>", "write a note of the run; an empty one takes it away")
    .option("--tag <word>", "tag the run; may be repeated", collectTags)
    .option("--untag <word>", "take a tag away; may be repeated", collectTags)
    .option("--remove", "delete the run, and nothing that a run did not write")
    .option("--json", "print JSON")
    .addHelpText(
      "after",
      '\nExample:\n  $ npx mzsr runs --search baseline\n  $ npx mzsr runs runs/first --note "learning rate halved" --tag baseline\n',
    )
    .action(async (folder: string, options: RunsOptions) => {
      const { changeRun, changesRun } = await import("../inspect/change-run.js");
      if (changesRun(options)) return changeRun(folder, options, terminal);
      const { listRuns } = await import("../inspect/list-runs.js");
      await listRuns(folder, options, terminal);
    });
}
