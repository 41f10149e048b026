import { Command } from "commander";
import { benchmarkCommand } from "./commands/benchmark.js";
import { certsCommand } from "./commands/certs.js";
import { completionCommand } from "./commands/completion.js";
import { coordinatorCommand } from "./commands/coordinator.js";
import { doctorCommand } from "./commands/doctor.js";
import { evaluateCommand } from "./commands/evaluate.js";
import { exportCommand } from "./commands/export.js";
import { fetchModelCommand } from "./commands/fetch-model.js";
import { importCommand } from "./commands/import.js";
import { runsCommand } from "./commands/runs.js";
import { statusCommand } from "./commands/status.js";
import { studioCommand } from "./commands/studio.js";
import { sweepCommand } from "./commands/sweep.js";
import { tokenCommand } from "./commands/token.js";
import { trainEstimatorCommand } from "./commands/train-estimator.js";
import { upCommand } from "./commands/up.js";
import { upscaleCommand } from "./commands/upscale.js";
import { viewCommand } from "./commands/view.js";
import { workerCommand } from "./commands/worker.js";
import type { Terminal } from "./progress/terminal.js";
import { VERSION } from "./version.js";

/**
 * The `mzsr` command. Building it loads no heavy module: each command's action imports what it needs.
 * Parsing throws commander's CommanderError instead of ending the process.
 */
export function buildProgram(terminal: Terminal): Command {
  const program = new Command("mzsr")
    .description("Meta-train a small super-resolution network on a cluster, then adapt it to one photo in a few steps.")
    .version(VERSION, "-V, --version", "print the version")
    .helpOption("-h, --help", "print help")
    .helpCommand("help [command]", "print help for a command")
    .showSuggestionAfterError()
    .addHelpText("after", "\nExample:\n  $ npx mzsr up --preset quick --run runs/first --report\n");
  const commands = [
    upCommand,
    coordinatorCommand,
    workerCommand,
    certsCommand,
    tokenCommand,
    sweepCommand,
    statusCommand,
    evaluateCommand,
    benchmarkCommand,
    upscaleCommand,
    studioCommand,
    importCommand,
    exportCommand,
    trainEstimatorCommand,
    fetchModelCommand,
    runsCommand,
    viewCommand,
    doctorCommand,
    completionCommand,
  ];
  for (const command of commands) program.addCommand(command(terminal).showSuggestionAfterError());
  for (const command of [program, ...program.commands]) {
    command.exitOverride().configureOutput({
      writeOut: (text) => terminal.line(text.trimEnd()),
      writeErr: (text) => terminal.note(text.trimEnd()),
      outputError: (text, write) => write(`mzsr: ${text.replace(/^error: /, "").trimEnd()}`),
      getOutHelpWidth: () => terminal.columns,
      getErrHelpWidth: () => terminal.columns,
    });
  }
  return program;
}
