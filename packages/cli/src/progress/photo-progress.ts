import { duration, significant } from "./numbers.js";
import type { StepShown } from "./step-progress.js";

/** Where progress is shown. */
interface Line {
  show(text: string): void;
  clear(): void;
}

/** Shows where a photo stands, with the time left of each phase. */
export class PhotoProgress {
  readonly #line: Line;
  /** Seconds. */
  readonly #now: () => number;
  #phaseStarted: number;

  constructor(line: Line, now: () => number = () => performance.now() / 1000) {
    this.#line = line;
    this.#now = now;
    this.#phaseStarted = now();
  }

  /** A phase whose length nobody knows. */
  phase(name: string): void {
    this.#phaseStarted = this.#now();
    this.#line.show(`${name} …`);
  }

  step({ step, updates, loss }: StepShown): void {
    this.#line.show(`step ${step} of ${updates}, loss ${significant(loss)}${this.#left(step, updates)}`);
  }

  rows({ done, of }: { readonly done: number; readonly of: number }): void {
    this.#line.show(`${Math.floor((100 * done) / of)} % enlarged${this.#left(done, of)}`);
  }

  /** Makes room for a line of somebody else's; what stood there comes again with the next progress. */
  clear(): void {
    this.#line.clear();
  }

  done(): void {
    this.clear();
  }

  /** `, 12 s left`, once something is done and something is left. */
  #left(done: number, of: number): string {
    if (done === 0 || done >= of) return "";
    return `, ${duration(((this.#now() - this.#phaseStarted) / done) * (of - done))} left`;
  }
}
