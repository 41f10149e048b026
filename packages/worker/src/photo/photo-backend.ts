/** What photos are adapted to and enlarged with, by a backend's name: the engine on a GPU, or one of TensorFlow.js. */
import { type EngineDevice, openDevice, PhotoEngine } from "@mzsr/engine-webgpu";
import { BackendComputer, InputError, messageOf, type NetworkComputer } from "@mzsr/mzsr";
import { BACKEND_NAMES, type BackendName } from "@mzsr/shared";
import { type BackendStarter, backendStarters, onlySoftware, startBackend } from "../compute/backends.js";
import type { StartedBackend } from "../compute/compute-messages.js";
import { gpuMemoryBytes } from "../gpu/gpu-memory.js";
import { EngineFirst } from "./engine-first.js";

export interface PhotoBackend extends StartedBackend {
  readonly computer: NetworkComputer;
  /** Why nothing can be computed any more, if so: a GPU was lost. */
  readonly failure: string | undefined;
  close(): void;
}

export interface PhotoBackendOptions {
  /** Which GPU `webgpu` uses, from 0. Default: the one that WebGPU prefers. */
  readonly device?: number | undefined;
  /** Bytes of GPU memory that may be taken. Default: most of what is free. */
  readonly gpuMemoryBytes?: number | undefined;
  /** The backends that `auto` chooses from. Default: all. */
  readonly among?: readonly BackendName[];
  /** What starts a backend of TensorFlow.js for what the engine refuses. Another one in tests. */
  readonly startInstead?: (name: BackendName | "auto") => Promise<StartedBackend>;
  /** Told when something is not computed on what was started, and why. */
  readonly note?: (text: string) => void;
}

/**
 * Starts a backend in this thread. `webgpu` is the engine, which `auto` takes on real GPUs alone; what does not fit into the GPU's
 * memory TensorFlow.js computes.
 *
 * @throws InputError when the backend asked for does not start; RunError when none does
 */
export async function startPhotoBackend(
  name: BackendName | "auto",
  { note = () => undefined, among = BACKEND_NAMES, startInstead = startBackend, ...options }: PhotoBackendOptions = {},
): Promise<PhotoBackend> {
  let gpu: EngineDevice | undefined;
  const engine: BackendStarter = {
    name: "webgpu",
    start: async (asked) => {
      const device = await openDevice(options.device === undefined ? {} : { device: options.device });
      const { name, isSoftware } = device.description;
      if (isSoftware && !asked) {
        device.destroy();
        throw new Error(onlySoftware(name));
      }
      gpu = device;
      return `WebGPU on ${name}`;
    },
  };
  const candidates = backendStarters().filter((starter) => among.includes(starter.name));
  const started = await startBackend(
    name,
    candidates.map((starter) => (starter.name === engine.name ? engine : starter)),
  );
  if (gpu === undefined) {
    return { ...started, computer: new BackendComputer(), failure: undefined, close: () => undefined };
  }
  const device = gpu;
  const memoryBytes = options.gpuMemoryBytes ?? (await gpuMemoryBytes(device.description));
  const instead = (refused: InputError) => computeInstead(() => startInstead(name), refused, note);
  return {
    ...started,
    computer: new EngineFirst(new PhotoEngine(device, { memoryBytes }), instead),
    get failure() {
      return device.failure;
    },
    close: () => device.destroy(),
  };
}

/**
 * TensorFlow.js, for what the engine refused.
 *
 * @throws InputError when none of its backends starts, with what to do
 */
async function computeInstead(
  start: () => Promise<StartedBackend>,
  refused: InputError,
  note: (text: string) => void,
): Promise<NetworkComputer> {
  let started: StartedBackend;
  try {
    started = await start();
  } catch (thrown) {
    throw new InputError(
      `the photo is too much for the GPU (${refused.what}), and for TensorFlow.js: ${reasonOf(thrown)}`,
      {
        expected: "another backend, such as simd",
      },
    );
  }
  note(`computed by TensorFlow.js on ${started.name}: ${refused.what}`);
  return new BackendComputer();
}

/** Without what is expected, of which there is more to say here. */
function reasonOf(thrown: unknown): string {
  return thrown instanceof InputError ? thrown.what : messageOf(thrown);
}
