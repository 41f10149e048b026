import type { Image } from "@mzsr/mzsr";
import {
  type Configuration,
  type DatasetImage,
  metaGradientOrder,
  type Task,
  type TaskOutcome,
  type Welcome,
} from "@mzsr/shared";
import { cropCompact } from "../images/compact-image.js";
import type { ImageStore } from "../images/image-store.js";
import type { ComputeSettings } from "./compute-messages.js";
import { AbandonedError, type ComputePool } from "./compute-pool.js";
import { taskCrops } from "./task-data.js";

/** Computes a run's tasks: brings their images, and gives them to the threads. */
export class TaskRunner {
  readonly #pool: ComputePool;
  readonly #store: ImageStore;
  readonly #live = new Set<string>();
  #run: Run | undefined;

  constructor(pool: ComputePool, store: ImageStore) {
    this.#pool = pool;
    this.#store = store;
  }

  /** Takes what the coordinator said of the run; tasks that come from now on are computed so. */
  use({ configuration, images }: Welcome): void {
    this.#run = { configuration, images };
    this.#pool.forgetPrepared();
  }

  /**
   * Makes a task's data ahead of its lease, as far as a thread has time.
   * @param made told how long it took, when it is done
   * @throws Error with the reason when its images cannot be had
   */
  async prepare(task: Task, made: (seconds: number) => void): Promise<void> {
    const run = this.#current;
    const crops = await this.#cutter(task);
    if (run === this.#run) this.#pool.prepare(task, crops(), made);
  }

  /**
   * Computes a task from `theta`.
   * @throws AbandonedError when it was given up first; another error with the reason when it cannot be computed
   */
  async compute(lease: string, task: Task, theta: Float32Array): Promise<TaskOutcome> {
    const settings = computeSettings(this.#current.configuration, task);
    this.#live.add(lease);
    try {
      const crops = await this.#cutter(task);
      if (!this.#live.has(lease)) throw new AbandonedError("given up");
      return await this.#pool.compute(lease, { task, theta, settings, crops });
    } finally {
      this.#live.delete(lease);
    }
  }

  /** Gives a task up, wherever it is. */
  abandon(lease: string): void {
    this.#live.delete(lease);
    this.#pool.abandon(lease);
  }

  /** Brings a task's images; what it returns cuts the crops out of them. */
  async #cutter(task: Task): Promise<() => Image[]> {
    const wanted = [...task.support, ...task.query].map(({ image }) => image);
    const images = await this.#store.images(this.#current.images, wanted);
    return () => taskCrops(task, (index, y, x, side) => cropCompact(images.get(index)!, y, x, side));
  }

  get #current(): Run {
    if (this.#run === undefined) throw new Error("a task came before the welcome");
    return this.#run;
  }
}

interface Run {
  readonly configuration: Configuration;
  readonly images: readonly DatasetImage[];
}

/** How a run's task is computed. */
export function computeSettings(configuration: Configuration, { step }: Task): ComputeSettings {
  const { innerRate, innerSteps, learnedRates } = configuration.metaTraining;
  const order = metaGradientOrder(configuration, step);
  return { architecture: configuration.model, innerRate, innerSteps, learnedRates, order };
}
