import { MinuteLine } from "./minute-line.js";
import type { Terminal } from "./terminal.js";

/** Where something stands: one line of a terminal, drawn over; elsewhere a title, then a line a minute. */
export class ProgressLine {
  readonly #terminal: Terminal;
  readonly #title: string;
  readonly #lines: MinuteLine;

  constructor(terminal: Terminal, title: string, now: () => number = () => performance.now() / 1000) {
    this.#terminal = terminal;
    this.#title = title;
    this.#lines = new MinuteLine((line) => terminal.note(line), now);
    if (!terminal.interactive) terminal.note(title);
    else terminal.draw(`${title} …`);
  }

  show(text: string): void {
    const line = `${this.#title}: ${text}`;
    if (this.#terminal.interactive) this.#terminal.draw(`\r\x1b[2K${line}`);
    else this.#lines.show(line);
  }

  /** Makes room for a line of somebody else's; what stood there comes again with the next `show`. */
  clear(): void {
    if (this.#terminal.interactive) this.#terminal.draw("\r\x1b[2K");
  }
}
