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
