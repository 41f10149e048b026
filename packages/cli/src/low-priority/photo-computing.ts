/** What a process of low priority computes photos with. */
import type { NetworkComputer } from "@mzsr/mzsr";
import { type PhotoBackend, startPhotoBackend } from "@mzsr/worker";

/** Argument of a process to which a driver that stands in for a GPU is as good as one: in tests. */
export const SOFTWARE_TOO = "--software-gpu";

/**
 * This machine's GPU, where it has a real one and the run's backend is `webgpu` or `auto`; else, and when it fails, `simd`, which takes
 * less of the processors than a driver that stands in for a GPU.
 */
export class PhotoComputing {
  readonly #wantsGpu: boolean;
  readonly #softwareToo: boolean;
  #backend: PhotoBackend | undefined;
  #toldProcessorSeconds = 0;

  /** @param given the process's arguments: the run's backend, as its configuration has it, and `SOFTWARE_TOO` */
  constructor(given: readonly string[]) {
    this.#wantsGpu = given.includes("webgpu") || given.includes("auto");
    this.#softwareToo = given.includes(SOFTWARE_TOO);
  }

  /** @returns also the processor time since it was last told, or on a GPU the time that this took, s */
  async compute<T>(problem: (computer: NetworkComputer) => Promise<T>): Promise<{ result: T; seconds: number }> {
    this.#backend ??= await this.#start();
    const started = performance.now();
    const { name } = this.#backend;
    const result = await problem(this.#backend.computer).catch(async (thrown: unknown) => {
      if (name !== "webgpu") throw thrown;
      this.#backend!.close();
      this.#backend = await startPhotoBackend("simd");
      return problem(this.#backend.computer);
    });
    const processor = this.#processorSeconds();
    const onGpu = name === "webgpu" ? (performance.now() - started) / 1000 : 0;
    return { result, seconds: Math.max(processor, onGpu) };
  }

  async #start(): Promise<PhotoBackend> {
    if (!this.#wantsGpu) return startPhotoBackend("simd");
    if (this.#softwareToo) return startPhotoBackend("webgpu");
    return startPhotoBackend("auto", { among: ["webgpu", "simd"] });
  }

  #processorSeconds(): number {
    const { user, system } = process.cpuUsage();
    const before = this.#toldProcessorSeconds;
    this.#toldProcessorSeconds = (user + system) / 1e6;
    return this.#toldProcessorSeconds - before;
  }
}
