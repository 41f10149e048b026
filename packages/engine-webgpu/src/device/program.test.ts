import { InputError, RunError } from "@mzsr/mzsr";
import { expect, it } from "vitest";
import { metaCommands } from "../plan/meta-commands.js";
import { metaPlan } from "../plan/meta-plan.js";
import { nullEngine, SHAPE, zeroTask } from "../testing/null-engine.js";
import { loadDawn } from "./dawn.js";
import { openDevice } from "./device.js";

/** Counts calls of WebGPU's objects from now on. */
async function countCalls(): Promise<{ counts: Record<string, number>; stop: () => void }> {
  const { globals } = (await loadDawn()) as unknown as {
    globals: Record<string, { prototype: Record<string, unknown> }>;
  };
  const counts: Record<string, number> = {};
  const restore: (() => void)[] = [];
  for (const [type, ...methods] of [
    ["GPUQueue", "submit", "writeBuffer"],
    ["GPUComputePassEncoder", "dispatchWorkgroups"],
    ["GPUCommandEncoder", "beginComputePass", "copyBufferToBuffer"],
    ["GPUBuffer", "mapAsync"],
    ["GPUDevice", "createBuffer", "createBindGroup", "createShaderModule", "createComputePipelineAsync"],
  ] as const) {
    const { prototype } = globals[type]!;
    for (const method of methods) {
      const original = prototype[method] as (...args: unknown[]) => unknown;
      counts[method] = 0;
      prototype[method] = function (this: unknown, ...args: unknown[]) {
        counts[method]!++;
        return original.apply(this, args);
      };
      restore.push(() => {
        prototype[method] = original;
      });
    }
  }
  const stop = () => {
    for (const one of restore) one();
  };
  return { counts, stop };
}

it("computes a batch with one command buffer, one submit and one read-back, whatever its size, and makes nothing new", async () => {
  const { device, engine } = await nullEngine(4);
  const { memory } = engine;
  for (const batch of [1, 4]) await engine.run(new Array(batch).fill(zeroTask()));
  const dispatches = metaCommands(metaPlan(SHAPE), memory, 1).length;
  for (const batch of [1, 4]) {
    const tasks = Array.from({ length: batch }, zeroTask);
    const { counts, stop } = await countCalls();
    await engine.run(tasks).finally(stop);
    expect(counts).toEqual({
      ...{ submit: 1, dispatchWorkgroups: dispatches, beginComputePass: 1, copyBufferToBuffer: 1, mapAsync: 1 },
      ...{ createBuffer: 0, createBindGroup: 0, createShaderModule: 0, createComputePipelineAsync: 0 },
      writeBuffer: 2 + 5 * batch,
    });
  }
  device.destroy();
});

it("uploads parameters that all tasks share once", async () => {
  const { device, engine } = await nullEngine(4);
  const task = zeroTask();
  const { counts, stop } = await countCalls();
  await engine.run([task, task, task]).finally(stop);
  expect(counts.writeBuffer).toBe(2 + 1 + 4 * 3);
  device.destroy();
});

it("takes the bytes that the plan says", async () => {
  const { device, engine } = await nullEngine(3);
  expect(engine.bytes).toBe(engine.memory.bytes);
  device.destroy();
});

it("fails the batches of a device that is lost, and all later ones, with the reason", async () => {
  const { device, engine } = await nullEngine(1);
  const batches = [zeroTask(), zeroTask(), zeroTask()].map((task) => engine.run([task]));
  device.destroy();
  for (const batch of await Promise.allSettled(batches)) {
    if (batch.status === "rejected") expect(batch.reason).toEqual(new RunError("the GPU was closed"));
  }
  expect((await Promise.allSettled(batches)).at(-1)!.status).toBe("rejected");
  expect(await device.lost).toBe("the GPU was closed");
  await expect(engine.run([zeroTask()])).rejects.toThrow(new RunError("the GPU was closed"));
  await expect(openDevice({ backend: "null" }).then((again) => again.destroy())).resolves.toBeUndefined();
});

it("reports what the device refuses as an error of the run", async () => {
  const device = await openDevice({ backend: "null" });
  const tooLarge = { size: device.description.limits.bufferBytes + 4, usage: 0x80 };
  await expect(device.checked("the buffers do not fit", () => device.webgpu.createBuffer(tooLarge))).rejects.toThrow(
    /^the buffers do not fit: /,
  );
  // Outside any scope: the next batch tells.
  device.webgpu.createBuffer(tooLarge);
  await device.webgpu.queue.onSubmittedWorkDone();
  expect(() => device.requireWorking()).toThrow(/^the GPU reported: /);
  device.destroy();
});

it("refuses a device that is not there, listing those that are", async () => {
  const refused = await openDevice({ device: 99 }).catch((thrown: unknown) => thrown);
  expect(refused).toBeInstanceOf(InputError);
  expect((refused as InputError).message).toContain("there is no device 99");
});
