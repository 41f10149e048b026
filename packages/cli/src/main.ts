/**
 * From arguments to an exit code: 0 done, 1 failed, 2 bad input. Every error is one or two lines, or one and a list.
 */
import { CommanderError } from "commander";
import { buildProgram } from "./program.js";
import type { Terminal } from "./progress/terminal.js";

const FAILED = 1;
const BAD_INPUT = 2;

/** @returns the exit code */
export async function main(argv: readonly string[], terminal: Terminal): Promise<number> {
  try {
    await buildProgram(terminal).parseAsync(argv, { from: "user" });
    return 0;
  } catch (thrown) {
    if (thrown instanceof CommanderError) return thrown.exitCode === 0 ? 0 : BAD_INPUT;
    terminal.note(`mzsr: ${errorLines(thrown)}`);
    return isNamed(thrown, "InputError") ? BAD_INPUT : FAILED;
  }
}

/** By name, so that `mzsr --help` need not load the packages that define the errors. */
function isNamed(thrown: unknown, name: string): boolean {
  return thrown instanceof Error && thrown.name === name;
}

/** An error that lists what is wrong, a line each. */
function hasItems(thrown: unknown): boolean {
  return ((thrown as { items?: readonly string[] }).items ?? []).length > 0;
}

function errorLines(thrown: unknown): string {
  const known = isNamed(thrown, "InputError") || isNamed(thrown, "RunError");
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  if (known && hasItems(thrown)) return message;
  const lines = message.split("\n").slice(0, 2).join("\n");
  if (known) return lines;
  // A fault of the program itself: its stack helps whoever mends it, and nobody else.
  const stack = thrown instanceof Error && process.env.MZSR_DEBUG !== undefined ? `\n${thrown.stack}` : "";
  return `${lines === "" || lines === "undefined" ? "unknown failure" : lines}${stack}`;
}
