/** Which of the ways to compute a worker takes, and its start. */
import { availableParallelism } from "node:os";
import { messageOf, RunError } from "@mzsr/mzsr";
import type { BackendName } from "@mzsr/shared";
import { GpuComputer } from "../gpu/gpu-computer.js";
import { gpuMemoryBytes } from "../gpu/gpu-memory.js";
import type { StartedBackend } from "./compute-messages.js";
import { ComputePool } from "./compute-pool.js";
import type { Computer, OnFinished } from "./computer.js";

/** Backends of which each thread uses one core; the others use the whole device by themselves. */
const ONE_CORE_BACKENDS: readonly BackendName[] = ["simd", "cpu"];

/** More threads than this make data faster than any GPU takes them. */
const MOST_DATA_THREADS = 8;

export interface ComputerOptions {
  readonly backend: BackendName | "auto";
  readonly slots?: number | undefined;
  /** Cores of the machine that it may keep busy; by default all. */
  readonly cores?: number | undefined;
  /** Which GPU, where the backend is webgpu. */
  readonly device?: number | undefined;
  /** Bytes of GPU memory that may be taken, where the backend is webgpu. */
  readonly gpuMemoryBytes?: number | undefined;
  readonly finished: OnFinished;
  readonly onCrash: (reason: string) => void;
  readonly onBroken: (error: Error) => void;
  /** Seconds on a clock that never goes back. */
  readonly now: () => number;
}

/**
 * Starts what the options ask for. `auto` prefers a CUDA-capable card through packages/engine-webgpu, then what
 * TensorFlow.js has for such cards and natively, then any other GPU, then this machine's cores; never a driver that only stands in for a
 * GPU.
 *
 * @throws InputError when the backend asked for does not start; RunError when none does
 */
export async function startComputer(options: ComputerOptions): Promise<Computer> {
  const { backend } = options;
  if (backend === "webgpu") return startGpu(options);
  if (backend !== "auto") return startPool(options, backend);
  const gpu = await startGpu(options).then(realGpu, failure);
  if (!(gpu instanceof GpuComputer)) {
    return named(await startPool(options, "auto"), [{ backend: "webgpu", reason: gpu.message }]);
  }
  if (gpu.adapter.vendor === "nvidia") return gpu;
  const passed: Passed[] = [];
  for (const name of ["cuda", "tensorflow"] as const) {
    const pool = await startPool(options, name).catch(failure);
    if (pool instanceof ComputePool) {
      await gpu.close();
      return named(pool, passed);
    }
    passed.push({ backend: name, reason: reasonOf(pool, name) });
  }
  return named(gpu, passed);
}

type Passed = StartedBackend["reasons"][number];

async function realGpu(gpu: GpuComputer): Promise<GpuComputer> {
  if (!gpu.adapter.isSoftware) return gpu;
  await gpu.close();
  throw new RunError(`only ${gpu.adapter.name} is found, which computes on the CPU`);
}

function failure(thrown: unknown): Error {
  return new Error(messageOf(thrown));
}

function reasonOf({ message }: Error, backend: BackendName): string {
  return message.replace(`backend ${backend} does not start: `, "").replace(/; expected auto.*$/s, "");
}

/** Says what was passed over before it. */
function named<T extends Computer>(computer: T, reasons: readonly Passed[]): T {
  Object.assign(computer.backend, { reasons: [...reasons, ...computer.backend.reasons] });
  return computer;
}

function startGpu(options: ComputerOptions): Promise<GpuComputer> {
  const { slots, device, finished, onCrash, onBroken, now } = options;
  return GpuComputer.start({
    ...{ device, slots, finished, onCrash, onBroken, now },
    dataThreads: Math.max(1, Math.min(MOST_DATA_THREADS, (options.cores ?? availableParallelism()) - 1)),
    memoryBytes: async (adapter) => options.gpuMemoryBytes ?? (await gpuMemoryBytes(adapter)),
  });
}

function startPool(options: ComputerOptions, backend: BackendName | "auto"): Promise<ComputePool> {
  const { slots, cores = availableParallelism(), finished, onCrash, onBroken, now } = options;
  const ofItsOwn = (name: BackendName) => (ONE_CORE_BACKENDS.includes(name) ? cores : 1);
  const slotsOf = ({ name }: StartedBackend) => slots ?? ofItsOwn(name);
  return ComputePool.start({ backend, slots: slotsOf, finished, onCrash, onBroken, now });
}
