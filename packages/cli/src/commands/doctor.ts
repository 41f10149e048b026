import { Command } from "commander";
import type { DoctorOptions } from "../inspect/run-doctor.js";
import type { Terminal } from "../progress/terminal.js";

export function doctorCommand(terminal: Terminal): Command {
  return new Command("doctor")
    .description("What this machine has: backends, GPU, NATS, and what to install.")
    .option("--json", "print JSON")
    .addHelpText("after", "\nExample:\n  $ npx mzsr doctor\n")
    .action(async (options: DoctorOptions) => {
      const { runDoctor } = await import("../inspect/run-doctor.js");
      await runDoctor(options, terminal);
    });
}
