import {
  type Configuration,
  type DatasetImage,
  type Task,
  type TaskOutcome,
  taskCrops,
  type Welcome,
} from "@mzsr/shared";
import { cropCompact } from "../images/compact-image.js";
import type { ImageStore } from "../images/image-store.js";
import type { ComputeSettings } from "./compute-messages.js";
import { AbandonedError, type ComputePool } from "./compute-pool.js";

/** Computes a run's tasks: brings their images, and gives them to the threads. */
export class RunTasks {
  readonly #pool: ComputePool;
  readonly #store: ImageStore;
  readonly #live = new Set<string>();
  #run: { readonly settings: ComputeSettings; readonly images: readonly DatasetImage[] } | undefined;

  constructor(pool: ComputePool, store: ImageStore) {
    this.#pool = pool;
    this.#store = store;
  }

  /** Takes what the coordinator said of the run; tasks that come from now on are computed so. */
  use({ configuration, images }: Welcome): void {
    this.#run = { settings: settingsOf(configuration), images };
  }

  /**
   * Computes a task from `theta`.
   * @throws AbandonedError when it was given up first; another error with the reason when it cannot be computed
   */
  async compute(lease: string, task: Task, theta: Float32Array): Promise<TaskOutcome> {
    if (this.#run === undefined) throw new Error("a task came before the welcome");
    const { settings, images: list } = this.#run;
    this.#live.add(lease);
    try {
      const patches = [...task.support, ...task.query];
      const images = await this.#store.images(
        list,
        patches.map((patch) => patch.image),
      );
      if (!this.#live.has(lease)) throw new AbandonedError("given up");
      const crops = taskCrops(task, (index, y, x, side) => cropCompact(images.get(index)!, y, x, side));
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
}

function settingsOf({ model, metaTraining }: Configuration): ComputeSettings {
  const { innerRate, innerSteps, learnedRates, order } = metaTraining;
  return { architecture: model, innerRate, innerSteps, learnedRates, order: order === "first" ? 1 : 2 };
}
