/**
 * Whether there is anything on Linux that Vulkan could compute on. Dawn prints warnings of its own where it finds nothing, so it is not
 * asked there. Both signs must be missing: drivers may lie where the loader alone knows, and GPUs may have names that are not known here.
 */
import { existsSync, readdirSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { noDriver } from "./vulkan-loader.js";

/** What is asked of the machine; another one in tests. */
export interface Machine {
  readonly platform: NodeJS.Platform;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly home: string;
  exists(path: string): boolean;
  /** Names in a folder; none where there is no such folder. */
  namesIn(folder: string): readonly string[];
}

/** @throws InputError on Linux where there is neither a GPU nor a driver for one */
export function requireVulkanDriver(machine: Machine = thisMachine()): void {
  if (machine.platform !== "linux" || hasGpu(machine) || hasDriver(machine)) return;
  throw noDriver(machine.platform, false);
}

/** Device files of GPUs: of the kernel's own drivers, NVIDIA's, Windows' (WSL) and those of telephones' chips. */
const GPU_FILES: readonly (readonly [folder: string, names: RegExp])[] = [
  ["/dev/dri", /^renderD/],
  ["/dev", /^(nvidia|nvhost|nvgpu|dxg$|kgsl|mali|pvr)/],
  ["/proc/driver/nvidia", /^version$/],
];

function hasGpu({ namesIn }: Machine): boolean {
  return GPU_FILES.some(([folder, names]) => namesIn(folder).some((name) => names.test(name)));
}

/** A driver says in a JSON file where its library is (Vulkan-Loader, LoaderDriverInterface.md, "Driver Discovery on Linux"). */
function hasDriver(machine: Machine): boolean {
  const { environment, exists } = machine;
  const named = environment.VK_DRIVER_FILES ?? environment.VK_ICD_FILENAMES;
  if (named !== undefined) return listOf(named).some(exists);
  if (listOf(environment.VK_ADD_DRIVER_FILES).some(exists)) return true;
  return driverFolders(machine).some((folder) => machine.namesIn(folder).some((name) => name.endsWith(".json")));
}

function driverFolders({ environment, home }: Machine): string[] {
  const { XDG_CONFIG_HOME, XDG_CONFIG_DIRS, XDG_DATA_HOME, XDG_DATA_DIRS } = environment;
  const roots = [
    XDG_CONFIG_HOME || join(home, ".config"),
    ...listOf(XDG_CONFIG_DIRS || "/etc/xdg"),
    ...["/etc", "/usr/local/etc"],
    XDG_DATA_HOME || join(home, ".local/share"),
    ...listOf(XDG_DATA_DIRS || "/usr/local/share:/usr/share"),
    // NixOS
    "/run/opengl-driver/share",
  ];
  return roots.map((root) => join(root, "vulkan/icd.d"));
}

function listOf(paths = ""): string[] {
  return paths.split(":").filter((path) => path !== "");
}

function thisMachine(): Machine {
  return {
    ...{ platform: process.platform, environment: process.env, home: homedir(), exists: existsSync },
    namesIn: (folder) => {
      try {
        return readdirSync(folder);
      } catch {
        return [];
      }
    },
  };
}
