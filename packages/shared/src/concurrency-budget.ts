/** Bounds what works at the same time by its size, so that memory has a bound whatever comes in. */
export class ConcurrencyBudget {
  readonly #most: number;
  #used = 0;
  /** First come, first served: nothing small overtakes something large for ever. */
  readonly #waiting: { readonly size: number; readonly start: () => void }[] = [];

  /** @param most sum of the sizes that work at the same time */
  constructor(most: number) {
    this.#most = most;
  }

  /** Does `work` when there is room for its size; what is larger than the whole budget works alone. */
  async run<T>(size: number, work: () => Promise<T>): Promise<T> {
    const charged = Math.min(size, this.#most);
    await new Promise<void>((start) => {
      this.#waiting.push({ size: charged, start });
      this.#startNext();
    });
    try {
      return await work();
    } finally {
      this.#used -= charged;
      this.#startNext();
    }
  }

  #startNext(): void {
    for (let next = this.#waiting[0]; next !== undefined && this.#used + next.size <= this.#most; ) {
      this.#used += next.size;
      this.#waiting.shift();
      next.start();
      next = this.#waiting[0];
    }
  }
}
