import { BufferUsage, MAP_MODE_READ } from "../device/dawn.js";
import type { EngineDevice } from "../device/device.js";
import type { GridKernel } from "../kernels/kernel.js";

/** Data of a binding, or how many floats a binding that is written has. */
export type Bound = Float32Array | Uint32Array | number;

/** Runs one kernel alone and reads what it wrote: the bindings that were given as a count of floats, by name. */
export async function runKernel(
  device: EngineDevice,
  kernel: GridKernel,
  bound: Readonly<Record<string, Bound>>,
  tasks: number,
): Promise<Record<string, Float32Array>> {
  const { webgpu } = device;
  const pipeline = (await device.pipelines.compile([kernel])).get(kernel.code)!;
  const buffers = kernel.bindings.map((name) => {
    const data = bound[name]!;
    const size = 4 * (typeof data === "number" ? data : data.length);
    const kind = name === "batch" ? BufferUsage.UNIFORM : BufferUsage.STORAGE;
    const buffer = webgpu.createBuffer({ size, usage: kind | BufferUsage.COPY_DST | BufferUsage.COPY_SRC });
    if (typeof data !== "number") webgpu.queue.writeBuffer(buffer, 0, data as Float32Array<ArrayBuffer>);
    return buffer;
  });
  return device.checked(`kernel ${kernel.name}`, async () => {
    const entries = buffers.map((buffer, binding) => ({ binding, resource: { buffer } }));
    const encoder = webgpu.createCommandEncoder();
    const pass = encoder.beginComputePass();
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, webgpu.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries }));
    pass.dispatchWorkgroups(...kernel.grid, tasks);
    pass.end();
    const written = kernel.bindings.map((_, i) => i).filter((i) => typeof bound[kernel.bindings[i]!] === "number");
    const copies = written.map((i) => {
      const usage = BufferUsage.MAP_READ | BufferUsage.COPY_DST;
      const copy = webgpu.createBuffer({ size: buffers[i]!.size, usage });
      encoder.copyBufferToBuffer(buffers[i]!, 0, copy, 0, copy.size);
      return copy;
    });
    webgpu.queue.submit([encoder.finish()]);
    const results: Record<string, Float32Array> = {};
    for (const [at, copy] of copies.entries()) {
      await copy.mapAsync(MAP_MODE_READ);
      results[kernel.bindings[written[at]!]!] = new Float32Array(copy.getMappedRange().slice(0));
      copy.destroy();
    }
    for (const buffer of buffers) buffer.destroy();
    return results;
  });
}
