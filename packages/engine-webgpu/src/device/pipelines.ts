/// <reference types="@webgpu/types" preserve="true" />
import { RunError } from "@mzsr/mzsr";
import type { Kernel } from "../kernels/kernel.js";

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
    const list = [...kernels];
    for (const kernel of list) {
      if (!this.#byCode.has(kernel.code)) this.#byCode.set(kernel.code, this.#compileOne(kernel));
    }
    return new Map(await Promise.all(list.map(async ({ code }) => [code, await this.#byCode.get(code)!] as const)));
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
