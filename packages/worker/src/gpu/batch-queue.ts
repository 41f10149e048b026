/** Which leased tasks go to the GPU together. */
import type { Task } from "@mzsr/shared";

/** A leased task that waits for its batch. */
export interface WaitingTask {
  readonly lease: string;
  readonly task: Task;
  /** Whether its data are there, so that it could be computed now. */
  readonly ready: boolean;
}

/**
 * Tasks of one step go together: their shapes are equal, and so, mostly, are the parameters that they start from. A batch waits for the
 * data of all leases of its step that it has room for, since they are being made at this moment: one of few tasks now
 * would take as long as one of many.
 */
export class BatchQueue<T extends WaitingTask> {
  #waiting: T[] = [];

  get size(): number {
    return this.#waiting.length;
  }

  find(lease: string): T | undefined {
    return this.#waiting.find((each) => each.lease === lease);
  }

  add(task: T): void {
    this.#waiting.push(task);
  }

  /** @returns the task that waited under this lease and does no more */
  remove(lease: string): T | undefined {
    const removed = this.find(lease);
    this.#waiting = this.#waiting.filter((each) => each !== removed);
    return removed;
  }

  /**
   * Takes the next batch out: that of the step that has waited longest, of those whose data are all there.
   * @param most tasks of a batch, by stage
   * @param least leaves fewer than so many waiting, unless no more go together: others may join them while the GPU is busy
   */
  next(most: (stage: Task["stage"]) => number, least: number): T[] | undefined {
    for (const step of new Set(this.#waiting.map(({ task }) => task.step))) {
      const ofStep = this.#waiting.filter(({ task }) => task.step === step);
      const room = most(ofStep[0]!.task.stage);
      const batch = ofStep.slice(0, room);
      if (!batch.every(({ ready }) => ready) || batch.length < Math.min(least, room)) continue;
      this.#waiting = this.#waiting.filter((each) => !batch.includes(each));
      return batch;
    }
    return undefined;
  }

  /** Takes all out. */
  clear(): T[] {
    const all = this.#waiting;
    this.#waiting = [];
    return all;
  }
}
