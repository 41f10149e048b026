import type { BackendName } from "@mzsr/shared";
import { expect, it } from "vitest";
import type { Computer } from "./computer.js";
import { type ComputerOptions, type ComputerStarters, startComputer } from "./start-computer.js";

const options = (backend: BackendName | "auto"): ComputerOptions => ({
  backend,
  finished: () => undefined,
  onCrash: () => undefined,
  onBroken: () => undefined,
  now: () => 0,
});

const reasons = [{ backend: "cuda", reason: "no cuda here" }];

/** Says what was started and closed; a GPU is software, real, or missing. */
function starters(gpu: "software" | "real" | "none"): { starters: ComputerStarters; log: string[] } {
  const log: string[] = [];
  const computer = (name: string) =>
    ({
      backend: { name, description: "", reasons },
      close: async () => void log.push(`${name} closed`),
    }) as unknown as Computer;
  return {
    log,
    starters: {
      gpu: async () => {
        log.push("webgpu");
        if (gpu === "none") throw new Error("the Vulkan loader is missing");
        return Object.assign(computer("webgpu"), {
          adapter: { name: "a card", isSoftware: gpu === "software" } as never,
        });
      },
      pool: async (_, backend) => {
        log.push(backend);
        return computer(backend === "auto" ? "simd" : backend);
      },
    },
  };
}

it("takes a GPU for auto, and looks for nothing else then", async () => {
  const { starters: given, log } = starters("real");
  expect((await startComputer(options("auto"), given)).backend.name).toBe("webgpu");
  expect(log).toEqual(["webgpu"]);
});

it("never takes a driver that stands in for a GPU for auto, and closes it", async () => {
  const { starters: given, log } = starters("software");
  const { backend } = await startComputer(options("auto"), given);
  expect(log).toEqual(["webgpu", "webgpu closed", "auto"]);
  expect(backend).toMatchObject({
    name: "simd",
    reasons: [{ backend: "webgpu", reason: "only a card is found, which computes on the CPU" }, ...reasons],
  });
});

it("goes on with TensorFlow.js' backends for auto where no GPU starts, and says why", async () => {
  const { backend } = await startComputer(options("auto"), starters("none").starters);
  expect(backend).toMatchObject({
    name: "simd",
    reasons: [{ backend: "webgpu", reason: "the Vulkan loader is missing" }, ...reasons],
  });
});

it("starts what it is asked for and nothing else, a driver that stands in for a GPU included", async () => {
  const { starters: given, log } = starters("software");
  expect((await startComputer(options("webgpu"), given)).backend.name).toBe("webgpu");
  expect((await startComputer(options("cuda"), given)).backend.name).toBe("cuda");
  expect(log).toEqual(["webgpu", "cuda"]);
  await expect(startComputer(options("webgpu"), starters("none").starters)).rejects.toThrow("the Vulkan loader");
});
