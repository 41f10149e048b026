/**
 * Shows a status that changes: drawn over in place on a terminal, a plain line now and then elsewhere.
 * Notes written meanwhile stay above.
 */
import type { ClusterStatus } from "@mzsr/shared";
import { statusLine, statusLines } from "./status-text.js";
import type { Terminal } from "./terminal.js";

/** Between two plain lines of the same stage. */
const PLAIN_INTERVAL_MS = 10_000;

const CLEAR_LINE = "\x1b[2K";
const up = (lines: number) => (lines > 0 ? `\x1b[${lines}A` : "");

export class LiveDisplay {
  readonly #terminal: Terminal;
  #drawnLines = 0;
  #lastPlainAt = Number.NEGATIVE_INFINITY;
  #lastHeading = "";

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
  }

  /** @param nowMs any steady clock */
  show(status: ClusterStatus, nowMs: number): void {
    if (this.#terminal.interactive) this.#redraw(statusLines(status));
    else this.#printNowAndThen(status, nowMs);
  }

  #printNowAndThen(status: ClusterStatus, nowMs: number): void {
    const heading = `${status.phase} ${status.stage}`;
    if (heading === this.#lastHeading && nowMs - this.#lastPlainAt < PLAIN_INTERVAL_MS) return;
    this.#lastHeading = heading;
    this.#lastPlainAt = nowMs;
    this.#terminal.note(statusLine(status));
  }

  /** A line that stays. */
  note(text: string): void {
    this.clear();
    this.#terminal.note(text);
  }

  /** Takes the drawn lines away. */
  clear(): void {
    if (this.#drawnLines === 0) return;
    this.#terminal.draw(`${up(this.#drawnLines)}${`${CLEAR_LINE}\n`.repeat(this.#drawnLines)}${up(this.#drawnLines)}`);
    this.#drawnLines = 0;
  }

  #redraw(lines: readonly string[]): void {
    const width = this.#terminal.columns - 1;
    const fitted = lines.map((line) => `${CLEAR_LINE}${line.slice(0, width)}\n`);
    const surplus = Math.max(0, this.#drawnLines - lines.length);
    const blank = `${CLEAR_LINE}\n`.repeat(surplus) + up(surplus);
    this.#terminal.draw(up(this.#drawnLines) + fitted.join("") + blank);
    this.#drawnLines = lines.length;
  }
}
