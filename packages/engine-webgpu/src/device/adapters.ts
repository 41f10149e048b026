import { messageOf } from "@mzsr/mzsr";
import { loadDawn, startDawn } from "./dawn.js";
import { requireVulkanDriver } from "./vulkan-drivers.js";
import { requireVulkanLoader } from "./vulkan-loader.js";

/** No adapter is called this. */
const NO_ADAPTER = "mzsr-lists-adapters";

/**
 * Names of the GPUs that Dawn finds, in its order. WebGPU has no list; but Dawn for Node, asked for an adapter that is
 * not there, answers with those that are.
 *
 * @throws InputError when the package `webgpu`, the Vulkan loader or a driver is not installed
 */
export async function adapterNames(): Promise<string[]> {
  const dawn = await loadDawn();
  requireVulkanLoader();
  requireVulkanDriver();
  const gpu = startDawn(dawn, [`adapter=${NO_ADAPTER}`]);
  try {
    await gpu.requestAdapter();
    return [];
  } catch (thrown) {
    return parseAdapterNames(messageOf(thrown));
  }
}

/** The names in Dawn's message: ` * backend: 'vulkan', name: 'NVIDIA H100'` and so on. */
export function parseAdapterNames(message: string): string[] {
  return [...message.matchAll(/^ \* backend: '[^']*', name: '(.*)'$/gm)].map(([, name]) => name!);
}

/** What WebGPU tells of an adapter, in strings that may be empty. */
export interface AdapterInfo {
  readonly vendor: string;
  readonly architecture: string;
  /** The name, with small letters and hyphens alone: `nvidia-h200`. */
  readonly device: string;
  /** Dawn gives the driver's name and version here, not the card's. */
  readonly description: string;
}

/** The adapter's name, of those that Dawn lists; else what WebGPU tells of it. */
export function adapterName(
  { vendor, architecture, device, description }: AdapterInfo,
  names: readonly string[],
): string {
  const listed = names.find((name) => hyphenated(name) === hyphenated(device));
  return listed ?? (device || description || `${vendor} ${architecture}`.trim());
}

function hyphenated(name: string): string {
  return name
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-")
    .replaceAll(/^-|-$/g, "");
}
