/// <reference types="@webgpu/types" preserve="true" />
import { InputError, messageOf, RunError } from "@mzsr/mzsr";
import { adapterName, adapterNames } from "./adapters.js";
import { loadDawn, startDawn } from "./dawn.js";
import { Pipelines } from "./pipelines.js";
import { requireVulkanDriver } from "./vulkan-drivers.js";
import { noDriver, requireVulkanLoader } from "./vulkan-loader.js";

export interface DeviceOptions {
  /** Which of `adapterNames()`, from 0. Default: the one that Dawn prefers. */
  readonly device?: number;
  /** `null` computes nothing: for measuring what the host does. Default: the platform's own (Vulkan, Metal, D3D12). */
  readonly backend?: "vulkan" | "metal" | "d3d12" | "null";
  /** Lets kernels be timed one by one, where the adapter can. Default false. */
  readonly profile?: boolean;
  /** Further options of Dawn, such as `enable-dawn-features=…`. */
  readonly dawn?: readonly string[];
}

/** What an adapter is and what it allows. */
export interface AdapterDescription {
  /** The card's, as its driver writes it. */
  readonly name: string;
  readonly vendor: string;
  readonly architecture: string;
  /** It computes on the CPU. */
  readonly isSoftware: boolean;
  readonly limits: AdapterLimits;
  readonly canProfile: boolean;
}

export interface AdapterLimits {
  /** Bytes of one buffer. */
  readonly bufferBytes: number;
  /** Bytes of a buffer that a kernel sees at once. */
  readonly bindingBytes: number;
  /** Workgroups in one direction of a dispatch. */
  readonly workgroups: number;
}

/**
 * All kernels write workgroup memory before they read it. Dawn's own zeros would cost GPUs time in every workgroup, and
 * SwiftShader seconds to compile each kernel.
 */
const KERNELS_INITIALISE = "enable-dawn-features=disable_workgroup_init";

/** Dawn rounds time stamps to 65 µs, so that pages of a browser learn little; many kernels take less. */
const EXACT_TIMES = "disable-dawn-features=timestamp_quantization";

/**
 * Opens a GPU.
 *
 * @throws InputError when the package `webgpu`, the Vulkan loader, a driver or the device asked for is missing
 */
export async function openDevice(options: DeviceOptions = {}): Promise<EngineDevice> {
  const dawn = await loadDawn();
  if (options.backend !== "null") {
    requireVulkanLoader();
    requireVulkanDriver();
  }
  const settings = [KERNELS_INITIALISE, ...(options.dawn ?? [])];
  if (options.profile === true) settings.push(EXACT_TIMES);
  if (options.backend !== undefined) settings.push(`backend=${options.backend}`);
  const names = options.backend === "null" ? [] : await adapterNames();
  if (options.device !== undefined) settings.push(`adapter=${nameOfDevice(options.device, names)}`);
  const gpu = startDawn(dawn, settings);
  const adapter = await requestAdapter(gpu);
  const description = describe(adapter, names);
  const profile = options.profile === true && description.canProfile;
  const { limits } = adapter;
  const device = await adapter.requestDevice({
    requiredFeatures: profile ? ["timestamp-query"] : [],
    requiredLimits: {
      maxBufferSize: limits.maxBufferSize,
      maxStorageBufferBindingSize: limits.maxStorageBufferBindingSize,
      maxComputeWorkgroupsPerDimension: limits.maxComputeWorkgroupsPerDimension,
    },
  });
  return new EngineDevice(device, description, profile);
}

function nameOfDevice(index: number, names: readonly string[]): string {
  const name = names[index];
  const listed = names.map((each, i) => `${i}: ${each}`);
  if (name === undefined) {
    throw new InputError(`there is no device ${index}`, { expected: "one of those found", items: listed });
  }
  // Dawn chooses by name, the first of those that match.
  const first = names.findIndex((each) => each.includes(name));
  if (first !== index) {
    throw new InputError(`device ${index} has a name like that of device ${first}, and Dawn chooses by name`, {
      expected: "one process for each card, which sees that card alone (NVIDIA_VISIBLE_DEVICES in containers)",
      items: listed,
    });
  }
  return name;
}

async function requestAdapter(gpu: GPU): Promise<GPUAdapter> {
  let adapter: GPUAdapter | null;
  try {
    adapter = await gpu.requestAdapter({ powerPreference: "high-performance" });
  } catch (thrown) {
    throw new InputError(`no GPU starts: ${messageOf(thrown)}`);
  }
  if (adapter === null) throw noDriver();
  return adapter;
}

function describe({ info, limits, features }: GPUAdapter, names: readonly string[]): AdapterDescription {
  return {
    name: adapterName(info, names),
    vendor: info.vendor,
    architecture: info.architecture,
    isSoftware: info.isFallbackAdapter ?? false,
    limits: {
      bufferBytes: limits.maxBufferSize,
      bindingBytes: limits.maxStorageBufferBindingSize,
      workgroups: limits.maxComputeWorkgroupsPerDimension,
    },
    canProfile: features.has("timestamp-query"),
  };
}

/** An open GPU, which engines share. */
export class EngineDevice {
  readonly description: AdapterDescription;
  /** Whether kernels can be timed. */
  readonly profiles: boolean;
  /** Settles when the device is lost, also by `destroy()`, with the reason. */
  readonly lost: Promise<string>;
  /** @internal */
  readonly pipelines: Pipelines;
  readonly #device: GPUDevice;
  #failure: string | undefined;

  /** @internal use `openDevice` */
  constructor(device: GPUDevice, description: AdapterDescription, profiles: boolean) {
    this.#device = device;
    this.pipelines = new Pipelines(device);
    this.description = description;
    this.profiles = profiles;
    this.lost = device.lost.then(({ reason, message }) => {
      this.#failure ??= reason === "destroyed" ? "the GPU was closed" : `the GPU was lost: ${message}`;
      return this.#failure;
    });
    device.addEventListener("uncapturederror", (event) => {
      this.#failure ??= `the GPU reported: ${(event as GPUUncapturedErrorEvent).error.message}`;
    });
  }

  /** WebGPU's own object, for the parts of this package. */
  get webgpu(): GPUDevice {
    return this.#device;
  }

  /** Why nothing can be computed any more, if so. */
  get failure(): string | undefined {
    return this.#failure;
  }

  /** @throws RunError when the device was lost or reported an error */
  requireWorking(): void {
    if (this.#failure !== undefined) throw new RunError(this.#failure);
  }

  /**
   * Runs something that makes objects on the device.
   *
   * @throws RunError when the device has not enough memory for them, or refuses them
   */
  async checked<T>(what: string, make: () => T | Promise<T>): Promise<T> {
    this.requireWorking();
    for (const filter of ["validation", "internal", "out-of-memory"] as const) this.#device.pushErrorScope(filter);
    let made: T;
    const errors: (GPUError | null)[] = [];
    try {
      made = await make();
    } finally {
      for (let i = 0; i < 3; i++) errors.push(await this.#device.popErrorScope());
    }
    const error = errors.find((each) => each !== null);
    if (error) throw new RunError(`${what}: ${error.message || "not enough memory on the GPU"}`);
    this.requireWorking();
    return made;
  }

  /** Frees everything on the device. Batches in flight fail. */
  destroy(): void {
    this.#failure ??= "the GPU was closed";
    this.#device.destroy();
  }
}
