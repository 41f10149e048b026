import type { AdaptationProgress } from "@mzsr/mzsr";
import { significant } from "./numbers.js";
import type { Terminal } from "./terminal.js";

/** Shows the gradient steps of an adaptation on one line of a terminal; elsewhere it stays silent until the end. */
export class StepProgress {
  readonly #terminal: Terminal;
  readonly #title: string;

  constructor(terminal: Terminal, title: string) {
    this.#terminal = terminal;
    this.#title = title;
    if (!terminal.interactive) terminal.note(title);
    else terminal.draw(`${title} …`);
  }

  show({ step, updates, loss }: AdaptationProgress): void {
    if (!this.#terminal.interactive) return;
    this.#terminal.draw(`\r\x1b[2K${this.#title}: step ${step} of ${updates}, loss ${significant(loss)}`);
  }

  done(): void {
    if (this.#terminal.interactive) this.#terminal.draw("\r\x1b[2K");
  }
}
