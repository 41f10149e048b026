/** Which of the ways to compute a worker takes, and its start. */
import { availableParallelism } from "node:os";
import type { AdapterDescription } from "@mzsr/engine-webgpu";
import { messageOf } from "@mzsr/mzsr";
import type { BackendName } from "@mzsr/shared";
import { GpuComputer } from "../gpu/gpu-computer.js";
import { gpuMemoryBytes } from "../gpu/gpu-memory.js";
import { onlySoftware, usesOneCore } from "./backends.js";
import type { StartedBackend } from "./compute-messages.js";
import { ComputePool } from "./compute-pool.js";
import type { Computer, OnFinished } from "./computer.js";

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

/** The two kinds of computers; others in tests. */
export interface ComputerStarters {
  readonly gpu: (options: ComputerOptions) => Promise<Computer & { readonly adapter: AdapterDescription }>;
  readonly pool: (options: ComputerOptions, backend: BackendName | "auto") => Promise<Computer>;
}

/**
 * Starts what the options ask for. `auto` takes a GPU through packages/engine-webgpu, never a driver that only stands in for one; else
 * what TensorFlow.js computes on (`backendStarters`).
 *
 * @throws InputError when the backend asked for does not start; RunError when none does
 */
export async function startComputer(
  options: ComputerOptions,
  starters: ComputerStarters = { gpu: startGpu, pool: startPool },
): Promise<Computer> {
  const { backend } = options;
  if (backend === "webgpu") return starters.gpu(options);
  if (backend !== "auto") return starters.pool(options, backend);
  let reason: string;
  try {
    const gpu = await starters.gpu(options);
    if (!gpu.adapter.isSoftware) return gpu;
    reason = onlySoftware(gpu.adapter.name);
    await gpu.close();
  } catch (thrown) {
    reason = messageOf(thrown);
  }
  const pool = await starters.pool(options, "auto");
  Object.assign(pool.backend, { reasons: [{ backend: "webgpu", reason }, ...pool.backend.reasons] });
  return pool;
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
  const ofItsOwn = (name: BackendName) => (usesOneCore(name) ? cores : 1);
  const slotsOf = ({ name }: StartedBackend) => slots ?? ofItsOwn(name);
  return ComputePool.start({ backend, slots: slotsOf, finished, onCrash, onBroken, now });
}
