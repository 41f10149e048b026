import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { InputError, nearestName } from "@mzsr/shared";
import { destination, type Logger, pino } from "pino";
import pretty from "pino-pretty";
import type { Terminal } from "../terminal/terminal.js";

/** Of a log, bytes that wait at most for a disk that is full. */
const MOST_WAITING_BYTES = 1 << 20;

const LEVELS = ["trace", "debug", "info", "warn", "error"] as const;

/**
 * A log on the error stream: for people on a terminal, JSON elsewhere.
 * @param bindings on every line, such as run and worker
 * @throws InputError for an unknown level
 */
export function terminalLogger(terminal: Terminal, level: string, bindings: Record<string, string>): Logger {
  checkLevel(level);
  const options = { level, base: bindings };
  if (!terminal.interactive) return pino(options, lasting(2));
  return pino(options, pretty({ destination: lasting(2), ignore: Object.keys(bindings).join(",") }));
}

/** A log as JSON lines at the end of a file, whose folder is made. */
export function fileLogger(path: string, bindings: Record<string, string>): Logger {
  mkdirSync(dirname(path), { recursive: true });
  return pino({ level: "info", base: bindings }, lasting(path));
}

/** Where a log goes. One that cannot be written (a reader that is gone, a full disk) is no reason to end. */
function lasting(dest: number | string) {
  const stream = destination({ dest, sync: true, maxLength: MOST_WAITING_BYTES });
  stream.on("error", () => undefined);
  return stream;
}

function checkLevel(level: string): void {
  if ((LEVELS as readonly string[]).includes(level)) return;
  const near = nearestName(level, LEVELS);
  throw new InputError(`unknown log level "${level}"`, {
    where: "--log-level",
    expected: `one of ${LEVELS.join(", ")}${near === undefined ? "" : ` (did you mean ${near}?)`}`,
  });
}
