/// <reference types="@webgpu/types" preserve="true" />
import { RunError } from "@mzsr/mzsr";
import type { Kernel } from "../kernels/kernel.js";

/** Kernels have sizes in their code: a device that sees many photos keeps those of the last ones. */
const MOST_KEPT = 256;

/** Compiles kernels; those of equal code are compiled once on a device, whoever asks. */
export class Pipelines {
  readonly #device: GPUDevice;
  readonly #byCode = new Map<string, Promise<GPUComputePipeline>>();

  constructor(device: GPUDevice) {
    this.#device = device;
  }

  /**
   * Compiles all at once.
   *
   * @returns pipelines by the kernels' WGSL
   * @throws RunError when one does not compile
   */
  async compile(kernels: Iterable<Kernel>): Promise<ReadonlyMap<string, GPUComputePipeline>> {
    const pipelines = [...kernels].map(async (kernel) => [kernel.code, await this.#pipelineOf(kernel)] as const);
    return new Map(await Promise.all(pipelines));
  }

  #pipelineOf(kernel: Kernel): Promise<GPUComputePipeline> {
    const pipeline = this.#byCode.get(kernel.code) ?? this.#compileOne(kernel);
    // The last that was asked for comes last.
    this.#byCode.delete(kernel.code);
    this.#byCode.set(kernel.code, pipeline);
    if (this.#byCode.size > MOST_KEPT) this.#byCode.delete(this.#byCode.keys().next().value!);
    return pipeline;
  }

  async #compileOne({ name, code }: Kernel): Promise<GPUComputePipeline> {
    const module = this.#device.createShaderModule({ label: name, code });
    const { messages } = await module.getCompilationInfo();
    const error = messages.find(({ type }) => type === "error");
    if (error !== undefined) throw new RunError(`kernel ${name}, line ${error.lineNum}: ${error.message}`);
    const compute = { module, entryPoint: "main" };
    return this.#device.createComputePipelineAsync({ label: name, layout: "auto", compute });
  }
}
