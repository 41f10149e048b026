/** Seconds between two lines where lines are not drawn over. */
const SECONDS_BETWEEN_LINES = 60;

/** Where something stands, told once a minute: what takes less says nothing. */
export class MinuteLine {
  readonly #tell: (text: string) => void;
  /** Seconds. */
  readonly #now: () => number;
  #told: number;

  constructor(tell: (text: string) => void, now: () => number = () => performance.now() / 1000) {
    this.#tell = tell;
    this.#now = now;
    this.#told = now();
  }

  show(text: string): void {
    if (this.#now() - this.#told < SECONDS_BETWEEN_LINES) return;
    this.#told = this.#now();
    this.#tell(text);
  }

  /** Nothing is drawn over. */
  clear(): void {}
}
