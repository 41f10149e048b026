import { type GpuReading, readGpus } from "./nvidia-smi.js";

const INTERVAL_MS = 5_000;

/** Keeps the newest GPU readings; stops asking when the first answer is that there are none. */
export class GpuWatch {
  #readings: readonly GpuReading[] = [];
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;

  constructor(read: () => Promise<GpuReading[]> = readGpus) {
    void this.#follow(read);
  }

  get readings(): readonly GpuReading[] {
    return this.#readings;
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  async #follow(read: () => Promise<GpuReading[]>): Promise<void> {
    const readings = await read();
    const known = readings.length > 0 || this.#readings.length > 0;
    if (this.#stopped || !known) return;
    this.#readings = readings;
    this.#timer = setTimeout(() => void this.#follow(read), INTERVAL_MS);
    this.#timer.unref();
  }
}
