/** A small fleet (bench/fleet.ts): what a coordinator does for one worker in a step must not depend on how many there are. */

import { hasMzsr } from "@mzsr/testing/mzsr-process";
import { expect, test } from "vitest";
import { type FleetFigures, measureFleet } from "../../bench/fleet/measure.js";

const FEW = 16;
const MANY = 256;
/** The same with both; a scheduler that looks at every lease at every result makes it 6, one that also looks twice more. */
const MOST_GROWTH = 2.5;

/** The coordinator's processor time for a worker and step, with a network so small that its gradients cost next to nothing. */
async function cpuPerResult(workers: number, steps: number): Promise<number> {
  const choice = { depth: 2, width: 4, heartbeatSeconds: 0, warmUpSteps: 2, seconds: 120 };
  const figures = await measureFleet({ ...choice, workers, steps });
  expect(figures, `with ${workers} workers`).toBeTypeOf("object");
  return (figures as FleetFigures).cpuSeconds / workers;
}

test.skipIf(!hasMzsr() || process.platform !== "linux")(
  "a step costs a coordinator of many workers no more for each of them than one of few",
  async () => {
    const few = await cpuPerResult(FEW, 60);
    const many = await cpuPerResult(MANY, 6);
    expect(many / few).toBeLessThan(MOST_GROWTH);
  },
  600_000,
);
