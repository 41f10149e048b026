/** A short campaign with real processes; `npm run chaos` runs a long one. */

import { hasNatsServer } from "@mzsr/testing/nats-server";
import { expect, onTestFinished, test } from "vitest";
import { runCampaign } from "./campaign.js";
import { campaignReport, reportText } from "./report.js";

const SECONDS = 15;
const FAULTS = 10;
const PATIENCE_MS = 240_000;

test("what goes wrong in a cluster changes no parameter of any step", { timeout: PATIENCE_MS }, async () => {
  const over = new AbortController();
  onTestFinished(() => over.abort(new Error("the test is over")));
  const record = await runCampaign({
    seed: 12,
    seconds: SECONDS,
    faults: FAULTS,
    workers: 2,
    drills: 0,
    nats: hasNatsServer(),
    standby: false,
    signal: over.signal,
    say: () => undefined,
  });
  const report = campaignReport(record);
  expect(report.faults).toBe(FAULTS);
  expect(report.steps).toBeGreaterThan(FAULTS);
  expect(report.passed, reportText(report)).toBe(true);
});
