/** What a process of low priority computes photos with. */
import type { NetworkComputer } from "@mzsr/mzsr";
import type { BackendName } from "@mzsr/shared";
import { type PhotoBackend, startPhotoBackend } from "@mzsr/worker";

/** As the configuration has it. */
export type RunBackend = BackendName | "auto";

/** The GPU of this machine where the run's backend is `webgpu`, or `auto` and there is one; else, and when that fails, `simd`. */
export class PhotoComputing {
  readonly #runBackend: RunBackend;
  #backend: PhotoBackend | undefined;
  #toldProcessorSeconds = 0;

  constructor(runBackend: RunBackend) {
    this.#runBackend = runBackend;
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
    if (this.#runBackend === "auto") return startPhotoBackend("auto", { among: ["webgpu", "simd"] });
    if (this.#runBackend !== "webgpu") return startPhotoBackend("simd");
    return startPhotoBackend("webgpu").catch(() => startPhotoBackend("simd"));
  }

  #processorSeconds(): number {
    const { user, system } = process.cpuUsage();
    const before = this.#toldProcessorSeconds;
    this.#toldProcessorSeconds = (user + system) / 1e6;
    return this.#toldProcessorSeconds - before;
  }
}
