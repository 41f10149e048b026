import type { Terminal } from "./terminal.js";

/** Seconds between two lines where lines are not drawn over. */
const SECONDS_BETWEEN_LINES = 60;

/** Where something stands: one line of a terminal, drawn over; elsewhere a title, then a line a minute. */
export class ProgressLine {
  readonly #terminal: Terminal;
  readonly #title: string;
  /** Seconds. */
  readonly #now: () => number;
  #told: number;

  constructor(terminal: Terminal, title: string, now: () => number) {
    this.#terminal = terminal;
    this.#title = title;
    this.#now = now;
    this.#told = now();
    if (!terminal.interactive) terminal.note(title);
    else terminal.draw(`${title} …`);
  }

  show(text: string): void {
    const line = `${this.#title}: ${text}`;
    if (this.#terminal.interactive) this.#terminal.draw(`\r\x1b[2K${line}`);
    else if (this.#now() - this.#told >= SECONDS_BETWEEN_LINES) {
      this.#told = this.#now();
      this.#terminal.note(line);
    }
  }

  /** Makes room for a line of somebody else's; what stood there comes again with the next `show`. */
  clear(): void {
    if (this.#terminal.interactive) this.#terminal.draw("\r\x1b[2K");
  }
}
