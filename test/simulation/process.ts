/**
 * What kill -9 and SIGSTOP act on. Whatever is delivered to a paused process waits; to a dead one, it is gone.
 */
export class Process {
  readonly #waiting: (() => void)[] = [];
  #alive = true;
  #paused = false;

  get alive(): boolean {
    return this.#alive;
  }

  get paused(): boolean {
    return this.#paused;
  }

  deliver(run: () => void): void {
    if (!this.#alive) return;
    if (this.#paused) this.#waiting.push(run);
    else run();
  }

  kill(): void {
    this.#alive = false;
    this.#waiting.length = 0;
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    while (this.#waiting.length > 0 && this.#alive && !this.#paused) this.#waiting.shift()!();
  }
}
