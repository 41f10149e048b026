/**
 * The models that wait to be measured, in a folder: `step-%08d.safetensors` each, gone when it is measured. So none is left
 * out when measuring is slower than training, and none is lost when the coordinator is.
 */
import { mkdir, readdir, rm, rmdir } from "node:fs/promises";
import { join } from "node:path";
import { type Model, readModel, removeUnfinished, writeModel } from "@mzsr/mzsr";

const NAME = /^step-(\d{8,})\.safetensors$/;

export class WaitingModels {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Steps whose model waits, ascending. */
  async steps(): Promise<number[]> {
    const names = await readdir(this.#folder).catch((thrown: NodeJS.ErrnoException) => {
      if (thrown.code === "ENOENT") return [];
      throw thrown;
    });
    return names
      .flatMap((name) => NAME.exec(name)?.[1] ?? [])
      .map(Number)
      .sort((a, b) => a - b);
  }

  /** Makes a model durable. */
  async add(step: number, model: Model): Promise<void> {
    await mkdir(this.#folder, { recursive: true });
    await writeModel(this.#path(step), model);
  }

  /** @throws InputError when it is not whole */
  async read(step: number): Promise<Model> {
    return readModel(this.#path(step));
  }

  /** Deletes a model, and the folder with the last one. */
  async remove(step: number): Promise<void> {
    await rm(this.#path(step), { force: true });
    await rmdir(this.#folder).catch(() => undefined);
  }

  /** Deletes what a killed process left half-written. */
  async tidy(): Promise<void> {
    await removeUnfinished(this.#folder, (name) => NAME.test(name));
  }

  #path(step: number): string {
    return join(this.#folder, `step-${String(step).padStart(8, "0")}.safetensors`);
  }
}
