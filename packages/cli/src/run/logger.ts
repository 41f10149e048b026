import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { InputError, nearestName } from "@mzsr/shared";
import { destination, type Logger, pino } from "pino";
import pretty from "pino-pretty";
import type { Terminal } from "../terminal/terminal.js";

const LEVELS = ["trace", "debug", "info", "warn", "error"] as const;

/**
 * A log on the error stream: for people on a terminal, JSON elsewhere.
 * @param bindings on every line, such as run and worker
 * @throws InputError for an unknown level
 */
export function terminalLogger(terminal: Terminal, level: string, bindings: Record<string, string>): Logger {
  checkLevel(level);
  const options = { level, base: bindings };
  if (!terminal.interactive) return pino(options, destination({ dest: 2, sync: true }));
  return pino(options, pretty({ destination: 2, sync: true, ignore: Object.keys(bindings).join(",") }));
}

/** A log as JSON lines at the end of a file, whose folder is made. */
export function fileLogger(path: string, bindings: Record<string, string>): Logger {
  mkdirSync(dirname(path), { recursive: true });
  return pino({ level: "info", base: bindings }, destination({ dest: path, sync: true }));
}

function checkLevel(level: string): void {
  if ((LEVELS as readonly string[]).includes(level)) return;
  const near = nearestName(level, LEVELS);
  throw new InputError(`unknown log level "${level}"`, {
    where: "--log-level",
    expected: `one of ${LEVELS.join(", ")}${near === undefined ? "" : ` (did you mean ${near}?)`}`,
  });
}
