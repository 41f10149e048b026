import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { InputError } from "@mzsr/mzsr";
import { nearestName } from "@mzsr/shared";
import { destination, type Logger, pino } from "pino";
import pretty from "pino-pretty";
import type { Terminal } from "../progress/terminal.js";

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

export interface FileLog {
  readonly logger: Logger;
  /** Makes the file, and its folder. What was logged before waited in memory. */
  open(): void;
}

/** A log as JSON lines at the end of a file. */
export function fileLog(path: string, bindings: Record<string, string>): FileLog {
  let waiting = "";
  let stream: { write(text: string): unknown } = { write: (line) => (waiting += line) };
  const logger = pino({ level: "info", base: bindings }, { write: (line: string) => void stream.write(line) });
  const open = () => {
    mkdirSync(dirname(path), { recursive: true });
    stream = lasting(path);
    if (waiting !== "") stream.write(waiting);
    waiting = "";
  };
  return { logger, open };
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
