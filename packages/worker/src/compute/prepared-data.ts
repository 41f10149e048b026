import type { Image } from "@mzsr/mzsr";
import type { Task } from "@mzsr/shared";
import { type DataSource, PREPARED_KEPT } from "./compute-messages.js";
import { type TaskData, taskData } from "./task-data.js";

/** A task's patches, and the seconds that making them took. */
export interface MadeData {
  readonly data: TaskData;
  readonly seconds: number;
}

/** Data of tasks that were announced, made before their leases come. The newest few are kept. */
export class PreparedData {
  readonly #now: () => number;
  readonly #kept = new Map<number, MadeData | Error>();

  /** @param now seconds on any clock */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** Makes a task's data now. What goes wrong is told by `take`. */
  prepare(id: number, task: Task, crops: readonly Image[]): void {
    try {
      this.#kept.set(id, this.#make(task, crops));
    } catch (error) {
      this.#kept.set(id, error as Error);
    }
    const [oldest] = this.#kept.keys();
    if (this.#kept.size > PREPARED_KEPT) this.#kept.delete(oldest!);
  }

  /**
   * A task's data: those that were prepared, which are then forgotten, or made now.
   * @throws Error when they cannot be made
   */
  take(task: Task, source: DataSource): MadeData {
    if ("crops" in source) return this.#make(task, source.crops);
    const made = this.#kept.get(source.prepared) ?? new Error(`nothing was prepared under ${source.prepared}`);
    this.#kept.delete(source.prepared);
    if (made instanceof Error) throw made;
    return made;
  }

  #make(task: Task, crops: readonly Image[]): MadeData {
    const start = this.#now();
    const data = taskData(task, crops);
    return { data, seconds: this.#now() - start };
  }
}
