import { existsSync } from "node:fs";

/** Where Debian's chromium has its Vulkan driver that computes on the CPU, and a loader. */
const CHROMIUM = "/usr/lib/chromium";

/**
 * The environment in which a process finds a Vulkan driver that needs no GPU, so that tests of GPU code run the same
 * everywhere; empty where there is none, or where another is named already. The dynamic linker reads it when a process
 * starts: it cannot be set later.
 *
 * @returns {Record<string, string>}
 */
export function softwareVulkan() {
  const { VK_ICD_FILENAMES, VK_DRIVER_FILES, LD_LIBRARY_PATH = "" } = process.env;
  const driver = `${CHROMIUM}/vk_swiftshader_icd.json`;
  if (VK_ICD_FILENAMES || VK_DRIVER_FILES || !existsSync(driver)) return {};
  const libraries = [...LD_LIBRARY_PATH.split(":"), CHROMIUM].filter((path) => path !== "");
  return { VK_ICD_FILENAMES: driver, VK_DRIVER_FILES: driver, LD_LIBRARY_PATH: libraries.join(":") };
}
