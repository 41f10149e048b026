/** What this machine's GPU is worth to a worker, for people. */
import { type AdapterDescription, adapterNames, MinibatchEngine, openDevice } from "@mzsr/engine-webgpu";
import { InputError, RunError } from "@mzsr/mzsr";
import { configurationSchema, type PresetName, presets } from "@mzsr/shared";
import { gpuMemoryBytes } from "./gpu-memory.js";
import { MOST_TASKS, planRun } from "./run-plan.js";

export interface FoundGpu {
  /** One line. */
  readonly description: string;
  /** Whether `auto` takes it. */
  readonly forAuto: boolean;
}

/**
 * Opens the GPU that a worker would take and computes something small on it: a driver may fail only then.
 *
 * @throws InputError when the package `webgpu`, the Vulkan loader, a driver or enough memory is missing, saying what to
 *   install or do; RunError when the GPU fails
 */
export async function findGpu(): Promise<FoundGpu> {
  const device = await openDevice();
  try {
    const { description } = device;
    const engine = await MinibatchEngine.create(device, SMALL.shape, { tasks: 1 });
    const [result] = await engine.run([SMALL.task]);
    if (!Number.isFinite(result!.loss)) throw new RunError(`${description.name} computes a loss of ${result!.loss}`);
    return describeGpu(description, await adapterNames(), await gpuMemoryBytes(description));
  } finally {
    device.destroy();
  }
}

/** Presets whose tasks are told of; those of `quick` are like those of `gpu`, which need least. */
const TOLD = ["gpu", "paper"] as const;

const SMALL = {
  shape: { architecture: { depth: 2, width: 4 }, patches: { patches: 1, height: 8, width: 8 } },
  task: {
    parameters: new Float32Array(3 * 4 * 9 + 4 + 4 * 3 * 9 + 3),
    pairs: {
      shape: [1, 8, 8, 3] as [number, number, number, number],
      x: new Float32Array(8 * 8 * 3),
      y: new Float32Array(8 * 8 * 3).fill(1),
    },
  },
};

/**
 * @param names of all adapters, in the order of `--device`
 * @throws InputError when its memory holds not even one task of the smallest preset
 */
export function describeGpu(
  { name, isSoftware, limits }: Pick<AdapterDescription, "name" | "isSoftware" | "limits">,
  names: readonly string[],
  memoryBytes: number,
): FoundGpu {
  const tasks = TOLD.map((preset) => `${tasksAtOnce(preset, memoryBytes, limits)} of ${preset}`);
  const devices = names.map((each, i) => `${i}: ${each}`).join(", ");
  const others = names.length > 1 ? `; devices ${devices}` : "";
  const software = isSoftware ? "; this driver computes on the CPU, which auto does not take: a GPU needs its own" : "";
  return { description: `${name}, tasks at once: ${tasks.join(", ")}${software}${others}`, forAuto: !isSoftware };
}

/** @throws InputError when not even one of the preset that needs least fits */
function tasksAtOnce(preset: PresetName, memoryBytes: number, limits: AdapterDescription["limits"]): number {
  try {
    return planRun(configurationSchema.parse(presets[preset]), { tasks: MOST_TASKS, memoryBytes, limits }).slots;
  } catch (thrown) {
    if (preset !== "gpu" || !(thrown instanceof InputError)) return 0;
    throw new InputError(`too little GPU memory for the preset gpu: ${thrown.what}`, {
      expected: "end what else uses it (nvidia-smi lists it), or set less work (docs/configuration.md)",
    });
  }
}
