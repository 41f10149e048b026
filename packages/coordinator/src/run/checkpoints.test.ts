import { readdir, readFile, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { smallDisk } from "@mzsr/testing/small-disk";
import { temporaryFolder } from "@mzsr/testing/temporary-folder";
import { expect, test } from "vitest";
import type { TrainingState } from "../core/training-state.js";
import { CheckpointStore, decodeCheckpoint, encodeCheckpoint } from "./checkpoints.js";

const facts = { run: "run", configuration: "{}", dataset: "abc" };

function stateAt(step: number, size = 100): TrainingState {
  const ramp = (scale: number) => Float64Array.from({ length: size }, (_, i) => Math.sin(i * scale + step));
  return {
    step,
    theta: Float32Array.from(ramp(1)),
    history: [Float32Array.from(ramp(2)), Float32Array.from(ramp(3))],
    adam: { steps: step - 1, firstMoment: ramp(4), secondMoment: ramp(5) },
    backend: "simd",
  };
}

test("a checkpoint gives back every bit of the training state", () => {
  const checkpoint = decodeCheckpoint(Buffer.from(encodeCheckpoint(stateAt(7), facts)), "here");
  expect(checkpoint.state).toEqual(stateAt(7));
  expect(checkpoint).toMatchObject(facts);
  expect(decodeCheckpoint(encodeCheckpoint({ ...stateAt(7), backend: undefined }, facts), "").state.backend).toBe(
    undefined,
  );
});

test("a moving average goes along where there is one, and checkpoints without one stay what they were", () => {
  const ema = { steps: 3, average: stateAt(3).adam.firstMoment };
  const bytes = encodeCheckpoint({ ...stateAt(7), ema }, facts);
  expect(decodeCheckpoint(bytes, "here").state).toEqual({ ...stateAt(7), ema });
  expect(Buffer.from(encodeCheckpoint(stateAt(7), facts)).includes("ema")).toBe(false);
});

test("a flipped bit anywhere in the numbers is noticed", () => {
  const bytes = encodeCheckpoint(stateAt(7), facts);
  for (const back of [1, 500, 1200, 2000]) {
    const broken = bytes.slice();
    broken[broken.length - back]! ^= 1;
    expect(() => decodeCheckpoint(broken, "here")).toThrow("here: the content does not match its digest");
  }
});

test("the newest checkpoints stay, older ones go", async () => {
  const store = new CheckpointStore(join(await temporaryFolder(), "checkpoints"), 2);
  for (const step of [100, 200, 300]) await store.write(step, encodeCheckpoint(stateAt(step), facts));
  expect((await store.list()).map(({ step }) => step)).toEqual([200, 300]);
  expect((await store.newest()).checkpoint?.state.step).toBe(300);
});

test("what a killed coordinator left half-written goes with the next checkpoint, and nothing else", async () => {
  const folder = await temporaryFolder();
  const store = new CheckpointStore(folder, 3);
  for (const name of ["step-00000100.safetensors.4711.tmp", "notes.tmp"]) await writeFile(join(folder, name), "half");
  await store.write(200, encodeCheckpoint(stateAt(200), facts));
  expect((await readdir(folder)).sort()).toEqual(["notes.tmp", "step-00000200.safetensors"]);
});

test("broken checkpoints are passed over with the reason, and no longer count as the newest", async () => {
  const folder = await temporaryFolder();
  const store = new CheckpointStore(folder, 3);
  const paths = new Map<number, string>();
  for (const step of [100, 200, 300]) paths.set(step, await store.write(step, encodeCheckpoint(stateAt(step), facts)));
  await truncate(paths.get(300)!, 1000);
  await writeFile(paths.get(200)!, "not a checkpoint");
  const { checkpoint, skipped } = await store.newest();
  expect(checkpoint?.state).toEqual(stateAt(100));
  expect(skipped.map(({ path }) => path)).toEqual([paths.get(300), paths.get(200)]);
  expect(skipped[0]!.reason).toMatch(/cut short/);
  await store.setAside(skipped);
  expect((await store.list()).map(({ step }) => step)).toEqual([100]);
  expect(await readFile(`${paths.get(200)}.broken`, "utf8")).toBe("not a checkpoint");
});

test("a full disk costs the new checkpoint and leaves the old ones whole", async (context) => {
  const folder = await smallDisk(context, 64);
  const store = new CheckpointStore(folder, 3);
  await store.write(1, encodeCheckpoint(stateAt(1, 1000), facts));
  await expect(store.write(2, encodeCheckpoint(stateAt(2, 1500), facts))).rejects.toThrow(/no space left/i);
  expect((await store.list()).map(({ step }) => step)).toEqual([1]);
  expect((await store.newest()).checkpoint?.state).toEqual(stateAt(1, 1000));
  await store.write(2, encodeCheckpoint(stateAt(2, 500), facts));
  expect((await store.newest()).checkpoint?.state.step).toBe(2);
});
