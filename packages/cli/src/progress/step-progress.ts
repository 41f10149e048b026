import { duration, significant } from "./numbers.js";
import type { Terminal } from "./terminal.js";

/** A gradient step, as it is shown. */
export interface StepShown {
  /** Steps done, from 1. */
  readonly step: number;
  /** At most. */
  readonly updates: number;
  readonly loss: number;
}

/** Seconds of steps that an estimate of the rest needs. */
const ESTIMATED_AFTER = 5;
/** Seconds between two lines where lines are not drawn over. */
const LINE_EVERY = 60;

/**
 * Shows the gradient steps of an adaptation on one line of a terminal; elsewhere it stays silent until the end, but for a line a
 * minute where there are thousands.
 */
export class StepProgress {
  readonly #terminal: Terminal;
  readonly #title: string;
  readonly #now: () => number;
  /** Milliseconds. */
  #started: number;
  #told: number;

  /** @param now in milliseconds */
  constructor(terminal: Terminal, title: string, now: () => number = () => performance.now()) {
    this.#terminal = terminal;
    this.#title = title;
    this.#now = now;
    this.#started = now();
    this.#told = this.#started;
    if (!terminal.interactive) terminal.note(title);
    else terminal.draw(`${title} …`);
  }

  show(shown: StepShown): void {
    const line = `${this.#title}: ${this.#text(shown)}`;
    if (this.#terminal.interactive) this.#terminal.draw(`\r\x1b[2K${line}`);
    else if (this.#now() - this.#told >= 1000 * LINE_EVERY) {
      this.#told = this.#now();
      this.#terminal.note(line);
    }
  }

  done(): void {
    if (this.#terminal.interactive) this.#terminal.draw("\r\x1b[2K");
  }

  #text({ step, updates, loss }: StepShown): string {
    const seconds = (this.#now() - this.#started) / 1000;
    const left = (seconds / step) * (updates - step);
    const rest = seconds < ESTIMATED_AFTER || step === updates ? "" : `, at most ${duration(left)} left`;
    return `step ${step} of ${updates}, loss ${significant(loss)}${rest}`;
  }
}
