import { messageOf } from "@mzsr/mzsr";
import { describe, it } from "vitest";
import { type EngineDevice, openDevice } from "../device/device.js";

const found = await findDevice();

/** A group of tests that need a GPU, or a driver that stands in for one; where there is none, skipped with the reason. */
export function describeOnGpu(name: string, tests: (device: EngineDevice) => void): void {
  describe(name, () => {
    if (typeof found === "string") it.skip(`needs a GPU: ${found}`, () => undefined);
    else tests(found);
  });
}

/** A device, or why there is none. */
async function findDevice(): Promise<EngineDevice | string> {
  try {
    return await openDevice();
  } catch (thrown) {
    return messageOf(thrown);
  }
}
