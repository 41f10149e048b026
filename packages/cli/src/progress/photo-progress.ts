import { duration, significant } from "./numbers.js";
import type { StepShown } from "./step-progress.js";
import type { Terminal } from "./terminal.js";

/** Elsewhere than on a terminal a line is told this often, in seconds. */
const SECONDS_BETWEEN_LINES = 60;

/** Shows where a photo stands, with the time left of each phase: on one line of a terminal, elsewhere a line now and then. */
export class PhotoProgress {
  readonly #terminal: Terminal;
  readonly #title: string;
  /** Seconds. */
  readonly #now: () => number;
  #phaseStarted: number;
  #told: number;

  constructor(terminal: Terminal, title: string, now: () => number = () => performance.now() / 1000) {
    this.#terminal = terminal;
    this.#title = title;
    this.#now = now;
    this.#phaseStarted = this.#told = now();
    if (!terminal.interactive) terminal.note(title);
    else terminal.draw(`${title} …`);
  }

  /** A phase whose length nobody knows. */
  phase(name: string): void {
    this.#phaseStarted = this.#now();
    this.#show(`${name} …`);
  }

  step({ step, updates, loss }: StepShown): void {
    this.#show(`step ${step} of ${updates}, loss ${significant(loss)}${this.#left(step, updates)}`);
  }

  rows({ done, of }: { readonly done: number; readonly of: number }): void {
    this.#show(`${Math.floor((100 * done) / of)} % enlarged${this.#left(done, of)}`);
  }

  /** Makes room for a line of somebody else's; what stood there comes again with the next progress. */
  clear(): void {
    if (this.#terminal.interactive) this.#terminal.draw("\r\x1b[2K");
  }

  done(): void {
    this.clear();
  }

  /** `, 12 s left`, once something is done and something is left. */
  #left(done: number, of: number): string {
    if (done === 0 || done >= of) return "";
    return `, ${duration(((this.#now() - this.#phaseStarted) / done) * (of - done))} left`;
  }

  #show(text: string): void {
    const line = `${this.#title}: ${text}`;
    if (this.#terminal.interactive) this.#terminal.draw(`\r\x1b[2K${line}`);
    else if (this.#now() - this.#told >= SECONDS_BETWEEN_LINES) {
      this.#told = this.#now();
      this.#terminal.note(line);
    }
  }
}
