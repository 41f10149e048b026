import { expect, test } from "vitest";
import { initialTrainingState, type TrainingState } from "../core/training-state.js";
import { type CheckpointOutcome, CheckpointWriter } from "./checkpoint-writer.js";

const stateAt = (step: number): TrainingState => ({ ...initialTrainingState(new Float32Array(1)), step });

function writerTo(write: (step: number) => Promise<string>) {
  const outcomes: CheckpointOutcome[] = [];
  const writer = new CheckpointWriter({
    encode: ({ step }) => Uint8Array.of(step),
    write,
    onWritten: (outcome) => outcomes.push(outcome),
    nowMs: () => 0,
  });
  return { writer, outcomes };
}

test("on a slow disk, only the newest of those that wait is written", async () => {
  const written: number[] = [];
  const { writer, outcomes } = writerTo(async (step) => {
    if (step === 1) for (const next of [2, 3, 4]) writer.request(stateAt(next), "interval");
    written.push(step);
    return `path ${step}`;
  });
  writer.request(stateAt(1), "interval");
  await writer.settle();
  expect(written).toEqual([1, 4]);
  expect(outcomes.map(({ step, path }) => [step, path])).toEqual([
    [1, "path 1"],
    [4, "path 4"],
  ]);
});

test("a checkpoint that fails is told, and forgotten when a later one succeeds", async () => {
  const { writer, outcomes } = writerTo(async (step) => {
    if (step === 1) throw new Error("no space left on device");
    return "path";
  });
  writer.request(stateAt(1), "interval");
  await expect(writer.settle()).rejects.toThrow("the checkpoint of step 1 could not be written: no space left");
  writer.request(stateAt(2), "finished");
  await writer.settle();
  expect(outcomes.map(({ problem }) => problem)).toEqual(["no space left on device", undefined]);
});

test("after it is abandoned, nothing is written any more", async () => {
  const written: number[] = [];
  const { writer } = writerTo(async (step) => {
    written.push(step);
    return "path";
  });
  writer.request(stateAt(1), "interval");
  await writer.settle();
  writer.request(stateAt(2), "interval");
  await writer.abandon();
  writer.request(stateAt(3), "interval");
  await writer.settle();
  expect(written).toEqual([1]);
});
