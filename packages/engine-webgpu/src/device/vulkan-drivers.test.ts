import { InputError } from "@mzsr/mzsr";
import { expect, it } from "vitest";
import { type Machine, requireVulkanDriver } from "./vulkan-drivers.js";

/** A machine that has these files and no others. */
function machine(files: readonly string[], given: Partial<Machine> = {}): Machine {
  return {
    ...{ platform: "linux", environment: {}, home: "/home/me" },
    exists: (path) => files.includes(path),
    namesIn: (folder) =>
      files.flatMap((file) => (file.startsWith(`${folder}/`) ? [file.slice(folder.length + 1)] : [])),
    ...given,
  };
}

const none = ["/dev/null", "/dev/dri/card0", "/usr/share/vulkan/explicit_layer.d/a.json"];

it("refuses a Linux machine without GPU and driver, and says what to install", () => {
  expect(() => requireVulkanDriver(machine(none))).toThrow(InputError);
  expect(() => requireVulkanDriver(machine(none))).toThrow(/no GPU has a Vulkan driver.*mesa-vulkan-drivers/);
  expect(() => requireVulkanDriver(machine(none, { platform: "darwin" }))).not.toThrow();
});

it.each(["/dev/dri/renderD128", "/dev/nvidia0", "/dev/dxg", "/dev/kgsl-3d0", "/proc/driver/nvidia/version"])(
  "lets Dawn look where there is a GPU: %s",
  (file) => {
    expect(() => requireVulkanDriver(machine([...none, file]))).not.toThrow();
  },
);

it.each([
  "/usr/share/vulkan/icd.d/lvp_icd.json",
  "/etc/vulkan/icd.d/nvidia_icd.json",
  "/home/me/.local/share/vulkan/icd.d/own.json",
])("lets Dawn look where there is a driver: %s", (file) => {
  expect(() => requireVulkanDriver(machine([...none, file]))).not.toThrow();
});

it("goes by the variables that the loader goes by", () => {
  const file = "/opt/icd.json";
  const refuses = (files: readonly string[], environment: Record<string, string>) => {
    try {
      requireVulkanDriver(machine([...none, ...files], { environment }));
      return false;
    } catch {
      return true;
    }
  };
  expect(refuses([file], { VK_DRIVER_FILES: `/not/there.json:${file}` })).toBe(false);
  expect(refuses([file], { VK_ICD_FILENAMES: file })).toBe(false);
  expect(refuses([file], { VK_ADD_DRIVER_FILES: file })).toBe(false);
  expect(refuses(["/opt/share/vulkan/icd.d/a.json"], { XDG_DATA_DIRS: "/opt/share" })).toBe(false);
  // Named drivers are the only ones.
  expect(refuses(["/usr/share/vulkan/icd.d/a.json"], { VK_DRIVER_FILES: "/not/there.json" })).toBe(true);
});
