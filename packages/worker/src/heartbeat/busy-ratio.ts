/** The share of its slots' time that a worker computed, between one look and the next. */
export class BusyRatio {
  readonly #now: () => number;
  readonly #busySeconds: () => number;
  #lastTime: number;
  #lastBusy: number;
  #ratio = 0;

  /**
   * @param now seconds on a clock that never goes back
   * @param busySeconds seconds computed so far, all slots together
   */
  constructor(now: () => number, busySeconds: () => number) {
    this.#now = now;
    this.#busySeconds = busySeconds;
    this.#lastTime = now();
    this.#lastBusy = busySeconds();
  }

  /** The ratio at the last `sample`. */
  get last(): number {
    return this.#ratio;
  }

  /** The ratio since the last sample, 0…1. */
  sample(slots: number): number {
    const [time, busy] = [this.#now(), this.#busySeconds()];
    const available = (time - this.#lastTime) * slots;
    if (available > 0) this.#ratio = Math.min(1, Math.max(0, (busy - this.#lastBusy) / available));
    this.#lastTime = time;
    this.#lastBusy = busy;
    return this.#ratio;
  }
}
