import { smallConfiguration } from "@mzsr/testing/small-run";
import { expect, test } from "vitest";
import { configurationChanges, describeChange } from "./resume-rules.js";

const before = smallConfiguration();
const middle = { step: 4, backend: "simd" as const };

function safetyOf(changes: Record<string, unknown>, progress: Parameters<typeof configurationChanges>[2] = middle) {
  return Object.fromEntries(
    configurationChanges(before, smallConfiguration(changes), progress).map(({ path, safe }) => [path, safe]),
  );
}

test("how the work is shared and saved may change, and where the images lie", () => {
  const cluster = { patience: 9, auditShare: 0.5 };
  const changes = { cluster, checkpoints: { every: 1, keep: 9 }, data: "elsewhere", skipBadImages: true };
  expect(safetyOf(changes)).toEqual({
    "checkpoints.every": true,
    "checkpoints.keep": true,
    "cluster.auditShare": true,
    "cluster.patience": true,
    data: true,
    skipBadImages: true,
  });
});

test("a start model may lie elsewhere, and may not be another one", () => {
  const began = smallConfiguration({ init: "a.safetensors", initSha256: "a".repeat(64) });
  const changesTo = (changes: Record<string, unknown>) =>
    configurationChanges(began, smallConfiguration(changes), middle).map(({ path, safe }) => [path, safe]);
  expect(changesTo({ init: "b.safetensors", initSha256: "a".repeat(64) })).toEqual([["init", true]]);
  expect(changesTo({ init: "a.safetensors", initSha256: "b".repeat(64) })).toEqual([["initSha256", false]]);
  expect(changesTo({})).toContainEqual(["init", false]);
});

test("what is computed may not change", () => {
  expect(safetyOf({ seed: 2, model: { width: 8 }, cluster: { pipeline: 1 } })).toEqual({
    "cluster.pipeline": false,
    "model.width": false,
    seed: false,
  });
});

test("a run may become longer, or shorter as far as it has not come", () => {
  expect(safetyOf({ metaTraining: { steps: 100 } })).toEqual({ "metaTraining.steps": true });
  expect(safetyOf({ metaTraining: { steps: 2 } })).toEqual({ "metaTraining.steps": true });
  expect(safetyOf({ metaTraining: { steps: 1 } })).toEqual({ "metaTraining.steps": false });
});

test("pretraining may change its length while it is not over", () => {
  expect(safetyOf({ pretraining: { steps: 9 } }, { step: 1, backend: "cpu" })).toEqual({ "pretraining.steps": true });
  expect(safetyOf({ pretraining: { steps: 9 } })).toEqual({ "pretraining.steps": false });
});

test("the backend may be named as long as it is the one that the run began with", () => {
  expect(safetyOf({ backend: "simd" })).toEqual({ backend: true });
  expect(safetyOf({ backend: "auto" })).toEqual({ backend: true });
  expect(safetyOf({ backend: "webgpu" })).toEqual({ backend: false });
});

test("a change is told with both values and the reason", () => {
  const [change] = configurationChanges(before, smallConfiguration({ seed: 5 }), middle);
  expect(describeChange(change!)).toBe("seed: 1 → 5 (decides what is computed)");
});
