import { expect, it } from "vitest";
import { describeGpu } from "./find-gpu.js";

const limits = { bufferBytes: 2 ** 31, bindingBytes: 2 ** 31, workgroups: 65_535 };
const card = { name: "a card", isSoftware: false, limits };
const GIBIBYTE = 2 ** 30;

it("says how many tasks of each preset the GPU's memory holds", () => {
  const { description, forAuto } = describeGpu(card, ["a card"], 80 * GIBIBYTE);
  expect(description).toMatch(/^a card, tasks at once: 32 of gpu, 32 of paper$/);
  expect(forAuto).toBe(true);
  expect(describeGpu(card, ["a card"], GIBIBYTE / 4).description).toMatch(/\d of gpu, 0 of paper/);
});

it("lists the devices that may be chosen from, where there are several", () => {
  const { description } = describeGpu(card, ["a card", "another"], GIBIBYTE);
  expect(description).toMatch(/; devices 0: a card, 1: another$/);
});

it("says of a driver that stands in for a GPU that auto does not take it", () => {
  const { description, forAuto } = describeGpu({ ...card, isSoftware: true }, ["a card"], GIBIBYTE);
  expect(description).toMatch(/computes on the CPU, which auto does not take/);
  expect(forAuto).toBe(false);
});

it("refuses a GPU whose memory holds not even one task of the smallest preset", () => {
  expect(() => describeGpu(card, ["a card"], 2 ** 20)).toThrow(
    /too little GPU memory for the preset gpu: a task needs \d+ MB.*nvidia-smi/,
  );
});
