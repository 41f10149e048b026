import type { Image } from "@mzsr/mzsr";
import { type Configuration, type DatasetImage, metaGradientOrder, type Task, type Welcome } from "@mzsr/shared";
import { cropCompact } from "../images/compact-image.js";
import type { ImageStore } from "../images/image-store.js";
import type { ComputeSettings } from "./compute-messages.js";
import { AbandonedError, type Computer, type OnFinished } from "./computer.js";
import { taskCrops } from "./task-data.js";

/** Computes a run's tasks: brings their images, and gives them to what computes. */
export class TaskRunner {
  readonly #computer: Computer;
  readonly #store: ImageStore;
  readonly #finished: OnFinished;
  readonly #live = new Set<string>();
  #run: Run | undefined;

  /** @param finished told of tasks whose images cannot be had, or that were given up before they came */
  constructor(computer: Computer, store: ImageStore, finished: OnFinished) {
    this.#computer = computer;
    this.#store = store;
    this.#finished = finished;
  }

  /**
   * Takes what the coordinator said of the run; tasks that come from now on are computed so.
   * @returns what people should know of how, if anything
   * @throws InputError when the device cannot compute such tasks
   */
  use({ configuration, images }: Welcome): string | undefined {
    this.#run = { configuration, images };
    return this.#computer.use(configuration);
  }

  /**
   * Makes a task's data ahead of its lease, as far as a thread has time.
   * @param made told how long it took, when it is done
   * @throws Error with the reason when its images cannot be had
   */
  async prepare(task: Task, made: (seconds: number) => void): Promise<void> {
    const run = this.#current;
    const crops = await this.#cutter(task);
    if (run === this.#run) this.#computer.prepare(task, crops(), made);
  }

  /** Computes a task from `theta`; its end is told. */
  async compute(lease: string, task: Task, theta: Float32Array): Promise<void> {
    this.#live.add(lease);
    try {
      const settings = computeSettings(this.#current.configuration, task);
      this.#computer.expect(lease, task);
      const crops = await this.#cutter(task);
      if (!this.#live.has(lease)) throw new AbandonedError("given up");
      this.#computer.compute(lease, { task, theta, settings, crops });
    } catch (error) {
      this.#computer.abandon(lease);
      this.#finished([{ lease, task, error: error as Error }]);
    } finally {
      this.#live.delete(lease);
    }
  }

  /** Gives a task up, wherever it is. */
  abandon(lease: string): void {
    this.#live.delete(lease);
    this.#computer.abandon(lease);
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
