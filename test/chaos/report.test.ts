import { expect, test } from "vitest";
import type { InjectedFault } from "./attack.js";
import type { CampaignRecord } from "./campaign.js";
import type { StepRecord } from "./records.js";
import { campaignReport, reportText } from "./report.js";

/** A step every second, from 1000 ms on. */
const steps = (count: number): StepRecord[] =>
  Array.from({ length: count }, (_, i) => ({ step: i + 1, hash: `hash-${i + 1}`, atMs: 1000 * (i + 1), tasks: 4 }));

const kill = (kind: InjectedFault["kind"], atMs: number, worker?: string): InjectedFault => ({
  atSeconds: 0,
  kind,
  fromMs: atMs,
  toMs: atMs,
  ...(worker !== undefined && { worker }),
});

const record = (changes: Partial<CampaignRecord> = {}): CampaignRecord => ({
  seed: 1,
  workers: 2,
  injected: [],
  steps: steps(10),
  quietSteps: steps(10),
  history: steps(10),
  events: [],
  coordinatorStarts: [0],
  workerStarts: [],
  counters: {},
  models: ["model", "model"],
  problems: [],
  ...changes,
});

test("equal steps and models pass", () => {
  const report = campaignReport(record());
  expect(report).toMatchObject({ passed: true, lostSteps: [], stepsRepeated: 0, steps: 10 });
});

test("a step that is missing, or has other parameters, is lost", () => {
  const wrong = steps(10)
    .filter(({ step }) => step !== 4)
    .map((step) => (step.step === 7 ? { ...step, hash: "other" } : step));
  const report = campaignReport(record({ steps: wrong, history: wrong }));
  expect(report).toMatchObject({ passed: false, lostSteps: [4, 7] });
  expect(reportText(report)).toContain("2 lost (4, 7)");
});

test("a step that a restart repeated with other parameters fails the campaign, though the end is equal", () => {
  const taken = { step: 6, hash: "other", atMs: 5500, tasks: 4 };
  const report = campaignReport(record({ history: [...steps(10), taken] }));
  expect(report).toMatchObject({ passed: false, stepsRepeated: 1, stepsRepeatedDifferently: [6], lostSteps: [] });
});

test.each<[string, Partial<CampaignRecord>]>([
  ["different models", { models: ["model", "other"] }],
  ["no model", { models: [undefined, undefined] }],
  ["a problem", { problems: ["worker-1 ended by itself"] }],
  ["more steps than in peace", { steps: steps(11), history: steps(11) }],
  ["no steps at all", { steps: [], history: [], quietSteps: [] }],
])("%s fail the campaign", (_, changes) => {
  expect(campaignReport(record(changes)).passed).toBe(false);
});

test("recovery is measured to the next step, or the worker's first task", () => {
  const { recovery } = campaignReport(
    record({
      injected: [
        kill("coordinator-kill", 2100),
        kill("worker-join", 4100, "worker-3"),
        kill("worker-kill", 7900, "worker-1"),
      ],
      steps: steps(10),
      history: steps(10).map((step) => (step.step === 8 ? { ...step, atMs: 8900 } : step)),
      coordinatorStarts: [0, 2200],
      events: [
        { at: 2600, kind: "resume", reason: "" },
        { at: 4500, kind: "join", reason: "", worker: "worker-3" },
      ],
      workerStarts: [{ worker: "worker-3", startedMs: 4100, firstTaskMs: 4800 }],
    }),
  );
  expect(recovery.coordinatorKill).toEqual({ count: 1, median: 0.9, worst: 0.9 });
  expect(recovery.coordinatorRestart).toEqual({ count: 1, median: 0.8, worst: 0.8 });
  expect(recovery.coordinatorResume).toEqual({ count: 1, median: 0.4, worst: 0.4 });
  expect(recovery.workerJoin).toEqual({ count: 1, median: 0.3, worst: 0.3 });
  expect(recovery.workerStart).toEqual({ count: 1, median: 0.7, worst: 0.7 });
  expect(recovery.workerKill).toEqual({ count: 1, median: 0, worst: 0 });
});

test("recovery from one fault is not measured while another is felt", () => {
  const { recovery } = campaignReport(
    record({
      injected: [kill("coordinator-kill", 2100), { ...kill("worker-freeze", 2000), toMs: 5000 }],
      coordinatorStarts: [0, 2200],
    }),
  );
  expect(recovery.coordinatorRestart.count).toBe(0);
});
