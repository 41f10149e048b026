import { duration, significant } from "./numbers.js";
import { ProgressLine } from "./progress-line.js";
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

/** Shows the gradient steps of an adaptation. */
export class StepProgress {
  readonly #line: ProgressLine;
  /** Seconds since the start. */
  readonly #seconds: () => number;

  /** @param now in milliseconds */
  constructor(terminal: Terminal, title: string, now: () => number = () => performance.now()) {
    const started = now();
    this.#seconds = () => (now() - started) / 1000;
    this.#line = new ProgressLine(terminal, title, this.#seconds);
  }

  show({ step, updates, loss }: StepShown): void {
    const seconds = this.#seconds();
    const left = (seconds / step) * (updates - step);
    const rest = seconds < ESTIMATED_AFTER || step === updates ? "" : `, at most ${duration(left)} left`;
    this.#line.show(`step ${step} of ${updates}, loss ${significant(loss)}${rest}`);
  }

  done(): void {
    this.#line.clear();
  }
}
