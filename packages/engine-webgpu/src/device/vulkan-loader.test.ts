import { InputError } from "@mzsr/mzsr";
import { expect, it } from "vitest";
import { noDriver, requireVulkanLoader } from "./vulkan-loader.js";

const missing = () => {
  throw new Error("libvulkan.so.1: cannot open shared object file: No such file or directory");
};

it("says what to install where there is no Vulkan loader, on Linux alone", () => {
  expect(() => requireVulkanLoader("linux", missing)).toThrow(InputError);
  expect(() => requireVulkanLoader("linux", missing)).toThrow(
    /the Vulkan loader is missing.*apt-get install libvulkan1/,
  );
  expect(() => requireVulkanLoader("darwin", missing)).not.toThrow();
  expect(() => requireVulkanLoader("win32", missing)).not.toThrow();
});

it("asks the dynamic linker, which knows of libraries that are no addons", () => {
  const found = (library: string) => () =>
    requireVulkanLoader("linux", () => {
      process.dlopen({ exports: {} }, library);
    });
  expect(found("libmzsr-is-not-there.so.1")).toThrow(/the Vulkan loader is missing \(libmzsr-is-not-there/);
});

it("tells a driver without its Vulkan part from none at all", () => {
  expect(noDriver("linux", true).message).toMatch(/NVIDIA's driver is there.*NVIDIA_DRIVER_CAPABILITIES/);
  expect(noDriver("linux", false).message).toMatch(/no GPU has a Vulkan driver; .*mesa-vulkan-drivers/);
  expect(noDriver("darwin", false).message).toMatch(/Metal/);
});
