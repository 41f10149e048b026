/// <reference types="@webgpu/types" preserve="true" />
import { messageOf, RunError } from "@mzsr/mzsr";
import type { GridKernel } from "../kernels/kernel.js";
import type { Command } from "../plan/command.js";
import { BufferUsage, MAP_MODE_READ } from "./dawn.js";
import type { EngineDevice } from "./device.js";

/** Batches that may be on their way at a time: one computes while the next is uploaded. */
const IN_FLIGHT = 2;

/** Time stamps that WebGPU takes at once. */
const LARGEST_QUERY_SET = 4096;

export interface ProgramOptions {
  readonly kernels: ReadonlyMap<string, GridKernel>;
  /** Names and sizes in bytes; `batch` is bound as a uniform, `result` is read back. */
  readonly regions: ReadonlyMap<string, number>;
  /** The dispatches of a batch of so many tasks. */
  readonly commands: (batch: number) => Command[];
  /** Bytes of `result` that a batch of so many tasks gives. */
  readonly resultBytes: (batch: number) => number;
}

/** What goes into a region before a batch. */
export interface Upload {
  readonly region: string;
  /** Bytes from the region's start, a multiple of 4. */
  readonly offset: number;
  readonly data: Float32Array | Uint32Array;
}

/** Seconds of the host's clock that a batch spent. */
export interface BatchTimes {
  /** Giving its data to the device. */
  readonly upload: number;
  /** Until the device had computed it; where another batch was on its way, waiting for that included. */
  readonly compute: number;
  /** Taking the results over. */
  readonly readBack: number;
}

/** GPU time by kernel. */
export interface KernelTime {
  readonly kernel: string;
  readonly dispatches: number;
  readonly seconds: number;
}

interface Dispatch {
  readonly name: string;
  readonly pipeline: GPUComputePipeline;
  readonly group: GPUBindGroup;
  readonly grid: readonly [number, number, number];
}

/**
 * Buffers, pipelines and bind groups of a computation, made once. A batch is a few writes, one command buffer, one
 * submit and one read-back.
 */
export class Program {
  readonly #device: EngineDevice;
  readonly #options: ProgramOptions;
  readonly #pipelines: ReadonlyMap<string, GPUComputePipeline>;
  readonly #buffers: ReadonlyMap<string, GPUBuffer>;
  readonly #dispatches = new Map<number, Dispatch[]>();
  readonly #freeStaging: GPUBuffer[];
  readonly #staging: readonly GPUBuffer[];
  readonly #waiting: (() => void)[] = [];

  private constructor(
    device: EngineDevice,
    options: ProgramOptions,
    pipelines: ReadonlyMap<string, GPUComputePipeline>,
    made: { buffers: ReadonlyMap<string, GPUBuffer>; staging: readonly GPUBuffer[] },
  ) {
    this.#device = device;
    this.#options = options;
    this.#pipelines = pipelines;
    this.#buffers = made.buffers;
    this.#staging = made.staging;
    this.#freeStaging = [...made.staging];
  }

  /** @throws RunError when the device has not the memory, or a kernel does not compile */
  static async create(device: EngineDevice, options: ProgramOptions): Promise<Program> {
    const used = new Set(options.commands(1).map(({ kernel }) => kernel));
    const kernels = [...used].map((name) => options.kernels.get(name)!);
    const pipelines = await device.checked("kernels do not compile", () => device.pipelines.compile(kernels));
    const made = await device.checked("the buffers do not fit", () => allocate(device.webgpu, options.regions));
    return new Program(device, options, pipelines, made);
  }

  /** Bytes of all buffers. */
  get bytes(): number {
    const sizes = [...this.#buffers.values(), ...this.#staging].map(({ size }) => size);
    return sizes.reduce((sum, size) => sum + size, 0);
  }

  /** Writes what stays the same for all batches. */
  write({ region, offset, data }: Upload): void {
    const { queue } = this.#device.webgpu;
    queue.writeBuffer(this.#buffers.get(region)!, offset, data as Float32Array<ArrayBuffer>);
  }

  /**
   * Computes a batch. Up to two may be on their way; further ones wait.
   *
   * @param read makes something of the results, which are gone afterwards
   * @param took told how long the batch's parts took
   * @throws RunError when the device was lost or reported an error
   */
  async run<T>(
    batch: number,
    uploads: readonly Upload[],
    read: (result: Float32Array) => T,
    took: (times: BatchTimes) => void = () => undefined,
  ): Promise<T> {
    const staging = await this.#takeStaging();
    try {
      this.#device.requireWorking();
      const began = seconds();
      for (const upload of uploads) this.write(upload);
      const bytes = this.#options.resultBytes(batch);
      this.#submit(this.#dispatchesOf(batch), staging, bytes);
      const submitted = seconds();
      await staging.mapAsync(MAP_MODE_READ, 0, bytes);
      this.#device.requireWorking();
      const computed = seconds();
      const results = read(new Float32Array(staging.getMappedRange(0, bytes)));
      took({ upload: submitted - began, compute: computed - submitted, readBack: seconds() - computed });
      return results;
    } catch (thrown) {
      if (thrown instanceof RunError) throw thrown;
      throw new RunError(this.#device.failure ?? `the GPU failed: ${messageOf(thrown)}`, { cause: thrown });
    } finally {
      if (staging.mapState === "mapped") staging.unmap();
      this.#giveStaging(staging);
    }
  }

  /**
   * GPU time of a batch by kernel, longest first; the batch's data are those of the last `run`.
   *
   * @throws RunError when there are more dispatches than can be timed
   */
  async profile(batch: number): Promise<KernelTime[]> {
    const { webgpu } = this.#device;
    const dispatches = this.#dispatchesOf(batch);
    const count = 2 * dispatches.length;
    if (count > LARGEST_QUERY_SET) throw new RunError(`${dispatches.length} dispatches are too many to be timed`);
    const queries = webgpu.createQuerySet({ type: "timestamp", count });
    const size = 8 * count;
    const resolved = webgpu.createBuffer({ size, usage: BufferUsage.QUERY_RESOLVE | BufferUsage.COPY_SRC });
    const readable = webgpu.createBuffer({ size, usage: BufferUsage.MAP_READ | BufferUsage.COPY_DST });
    const encoder = webgpu.createCommandEncoder();
    dispatches.forEach((dispatch, i) => {
      const timestampWrites = { querySet: queries, beginningOfPassWriteIndex: 2 * i, endOfPassWriteIndex: 2 * i + 1 };
      const pass = encoder.beginComputePass({ timestampWrites });
      encode(pass, dispatch);
      pass.end();
    });
    encoder.resolveQuerySet(queries, 0, count, resolved, 0);
    encoder.copyBufferToBuffer(resolved, 0, readable, 0, size);
    webgpu.queue.submit([encoder.finish()]);
    await readable.mapAsync(MAP_MODE_READ);
    const times = sumTimes(dispatches, new BigUint64Array(readable.getMappedRange()));
    readable.unmap();
    for (const made of [queries, resolved, readable]) made.destroy();
    return times;
  }

  /** Frees all buffers. Batches in flight fail. */
  destroy(): void {
    for (const buffer of [...this.#buffers.values(), ...this.#staging]) buffer.destroy();
    this.#dispatches.clear();
  }

  #submit(dispatches: readonly Dispatch[], staging: GPUBuffer, bytes: number): void {
    const { webgpu } = this.#device;
    const encoder = webgpu.createCommandEncoder();
    const pass = encoder.beginComputePass();
    for (const dispatch of dispatches) encode(pass, dispatch);
    pass.end();
    encoder.copyBufferToBuffer(this.#buffers.get("result")!, 0, staging, 0, bytes);
    webgpu.queue.submit([encoder.finish()]);
  }

  /** Bind groups are made once for each size of batch. */
  #dispatchesOf(batch: number): Dispatch[] {
    const known = this.#dispatches.get(batch);
    if (known !== undefined) return known;
    const made = this.#options.commands(batch).map((command) => this.#dispatchOf(command));
    this.#dispatches.set(batch, made);
    return made;
  }

  #dispatchOf({ kernel, bindings, tasks }: Command): Dispatch {
    const { name, code, bindings: names, grid } = this.#options.kernels.get(kernel)!;
    const pipeline = this.#pipelines.get(code)!;
    const entries = names.map((variable, binding): GPUBindGroupEntry => {
      const slice = bindings[variable];
      if (slice === undefined) throw new Error(`kernel ${kernel} has nothing bound to ${variable}`);
      const buffer = this.#buffers.get(slice.region);
      if (buffer === undefined) throw new Error(`kernel ${kernel} binds ${slice.region}, which does not exist`);
      return { binding, resource: { buffer, offset: slice.offset, size: slice.size } };
    });
    const group = this.#device.webgpu.createBindGroup({
      label: kernel,
      layout: pipeline.getBindGroupLayout(0),
      entries,
    });
    return { name, pipeline, group, grid: [...grid, tasks] };
  }

  async #takeStaging(): Promise<GPUBuffer> {
    while (this.#freeStaging.length === 0) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    return this.#freeStaging.pop()!;
  }

  #giveStaging(staging: GPUBuffer): void {
    this.#freeStaging.push(staging);
    this.#waiting.shift()?.();
  }
}

function seconds(): number {
  return performance.now() / 1000;
}

function encode(pass: GPUComputePassEncoder, { pipeline, group, grid }: Dispatch): void {
  pass.setPipeline(pipeline);
  pass.setBindGroup(0, group);
  pass.dispatchWorkgroups(grid[0], grid[1], grid[2]);
}

function allocate(
  device: GPUDevice,
  regions: ReadonlyMap<string, number>,
): { buffers: Map<string, GPUBuffer>; staging: GPUBuffer[] } {
  const buffers = new Map<string, GPUBuffer>();
  for (const [label, size] of regions) {
    const kind = label === "batch" ? BufferUsage.UNIFORM : BufferUsage.STORAGE;
    buffers.set(label, device.createBuffer({ label, size, usage: kind | BufferUsage.COPY_SRC | BufferUsage.COPY_DST }));
  }
  const staging = Array.from({ length: IN_FLIGHT }, () =>
    device.createBuffer({
      label: "read-back",
      size: regions.get("result")!,
      usage: BufferUsage.MAP_READ | BufferUsage.COPY_DST,
    }),
  );
  return { buffers, staging };
}

function sumTimes(dispatches: readonly Dispatch[], stamps: BigUint64Array): KernelTime[] {
  const byKernel = new Map<string, { dispatches: number; seconds: number }>();
  dispatches.forEach(({ name }, i) => {
    const time = byKernel.get(name) ?? { dispatches: 0, seconds: 0 };
    time.dispatches++;
    time.seconds += Number(stamps[2 * i + 1]! - stamps[2 * i]!) / 1e9;
    byKernel.set(name, time);
  });
  return [...byKernel].map(([kernel, time]) => ({ kernel, ...time })).sort((a, b) => b.seconds - a.seconds);
}
