/**
 * What a machine must have before Dawn finds a GPU. The loader is looked for before Dawn is asked for an adapter: where it is
 * missing, Dawn prints warnings of its own.
 */
import { existsSync } from "node:fs";
import { InputError, messageOf } from "@mzsr/mzsr";

/** The library through which programs on Linux reach the drivers that Vulkan has. */
const LOADER = "libvulkan.so.1";

/** There where the kernel part of NVIDIA's driver is loaded, in containers too. */
const NVIDIA_DRIVER = "/proc/driver/nvidia/version";

/**
 * @param load has the dynamic linker open a library, and throws when there is none; another one in tests
 * @throws InputError on Linux where there is no Vulkan loader, saying what to install
 */
export function requireVulkanLoader(
  platform: NodeJS.Platform = process.platform,
  load: (library: string) => void = openLibrary,
): void {
  if (platform !== "linux") return;
  try {
    load(LOADER);
  } catch (thrown) {
    throw new InputError(`the Vulkan loader is missing (${messageOf(thrown).split("\n", 1)[0]})`, {
      expected: "Debian, Ubuntu: apt-get install libvulkan1; Fedora: dnf install vulkan-loader",
    });
  }
}

/** Node opens native addons alone: that a library which it can open is none, it says afterwards. */
function openLibrary(library: string): void {
  try {
    process.dlopen({ exports: {} }, library);
  } catch (thrown) {
    if (!messageOf(thrown).includes("did not self-register")) throw thrown;
  }
}

/** There is a loader, and it finds no driver. */
export function noDriver(
  platform: NodeJS.Platform = process.platform,
  hasNvidiaDriver: boolean = existsSync(NVIDIA_DRIVER),
): InputError {
  if (platform !== "linux") return new InputError("no GPU is found", { expected: "a driver with Metal or D3D12" });
  if (hasNvidiaDriver) {
    return new InputError("no GPU has a Vulkan driver, though NVIDIA's driver is there", {
      expected:
        "its Vulkan part: Debian: apt-get install nvidia-vulkan-icd; Ubuntu: libnvidia-gl of the driver's version; " +
        "in containers NVIDIA_DRIVER_CAPABILITIES=compute,graphics,utility",
    });
  }
  return new InputError("no GPU has a Vulkan driver", {
    expected:
      "NVIDIA's own driver, or for AMD and Intel: apt-get install mesa-vulkan-drivers, and the right to use /dev/dri (group render)",
  });
}
