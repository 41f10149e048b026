import { expect, it } from "vitest";
import { RecentBatches } from "./batch-times.js";

it("the newest batches' size and shares of time are averaged", () => {
  const recent = new RecentBatches();
  expect(recent.telemetry).toBeUndefined();
  recent.add({ tasks: 100, data: 100, upload: 0, compute: 0, readBack: 0 });
  for (let i = 0; i < 32; i++) recent.add({ tasks: i % 2 === 0 ? 8 : 4, data: 1, upload: 2, compute: 4, readBack: 1 });
  const shares = { data: 0.125, upload: 0.25, compute: 0.5, readBack: 0.125 };
  expect(recent.telemetry).toEqual({ tasks: 6, shares });
});
