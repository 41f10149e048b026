import { floatsToBytes, GroupSums } from "@mzsr/shared";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { smallReport } from "../testing/core-harness.js";
import { GradientSums } from "./gradient-sums.js";
import type { TaskEntry } from "./task-entry.js";

const SIZE = 3;

function entryOf(index: number, step = 0): TaskEntry {
  return { task: { step, index } } as TaskEntry;
}

function bytesOf(...values: number[]): Uint8Array {
  return floatsToBytes(Float32Array.from(values));
}

function groupOf(gradients: readonly Float32Array[]) {
  const outcomes = gradients.map((gradient, index) => {
    const report = smallReport({ stage: "metaTraining", step: 0, index });
    return { lease: `${index}`, outcome: { ...report, gradient } };
  });
  return new GroupSums().add(outcomes)!.sum;
}

describe("the gradients of a step", () => {
  it("have a mean whose bits depend neither on order, nor on senders, nor on groups", () => {
    const element = fc.float({ min: -(2 ** 20), max: 2 ** 20, noNaN: true });
    const gradient = fc.array(element, { minLength: SIZE, maxLength: SIZE }).map((values) => Float32Array.from(values));
    const senders = fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 12, maxLength: 12 });
    fc.assert(
      fc.property(fc.array(gradient, { minLength: 2, maxLength: 12 }), senders, fc.nat(), (gradients, names, cut) => {
        const plain = new GradientSums(SIZE, 1, 1e9);
        for (const [i, each] of gradients.entries()) plain.add(entryOf(i), "only", floatsToBytes(each));
        const mixed = new GradientSums(SIZE, 1, 1e9);
        const grouped = gradients.slice(0, 1 + (cut % gradients.length));
        const entries = grouped.map((_, i) => entryOf(i));
        const rest = gradients.slice(grouped.length).reverse();
        for (const [i, each] of rest.entries()) mixed.add(entryOf(i), `worker ${names[i]}`, floatsToBytes(each));
        mixed.addGroup(entries, "group", groupOf(grouped));
        expect(mixed.mean(0)).toEqual(plain.mean(0));
      }),
    );
  });

  it("are refused with the reason, and leave the sum as it was", () => {
    const sums = new GradientSums(SIZE, 1, 100);
    expect(sums.add(entryOf(0), "a", bytesOf(1, 2, 3))).toBeUndefined();
    expect(sums.add(entryOf(1), "a", bytesOf(1, 2))).toMatchObject({ code: "size", reason: "has 2 elements, not 3" });
    expect(sums.add(entryOf(1), "a", bytesOf(1, Number.NaN, 1))).toMatchObject({ code: "not-finite" });
    expect(sums.add(entryOf(1), "a", bytesOf(0, 101, 0))).toMatchObject({ code: "norm" });
    expect(sums.add(entryOf(1), "a", bytesOf(0, 0, -(2 ** 21)))).toMatchObject({ code: "element" });
    expect(sums.validate(bytesOf(0, 101, 0))).toMatchObject({ code: "norm" });
    expect(sums.mean(0)).toEqual(Float64Array.of(1, 2, 3));
  });

  it("of a worker are taken out of all open steps, with those that were added up with them", () => {
    const sums = new GradientSums(1, 2, 1e9);
    const names = ["a", "b", "c", "d", "e"];
    const entries = names.map((_, i) => entryOf(i));
    for (const [i, name] of names.entries()) sums.add(entries[i]!, name, bytesOf(2 ** i));
    const later = entryOf(0, 1);
    sums.add(later, "a", bytesOf(7));
    // Five workers in four shares: the fifth is in the first's.
    expect(sums.takeOut("a")).toEqual([entries[0], entries[4], later]);
    expect(sums.mean(0)).toEqual(Float64Array.of((2 + 4 + 8) / 3));
    expect(sums.takeOut("nobody")).toEqual([]);
  });

  it("are taken out once, and only those that were let in", () => {
    const sums = new GradientSums(1, 1, 100);
    const [counted, refused] = [entryOf(0), entryOf(1)];
    sums.add(counted, "a", bytesOf(1));
    expect(sums.add(refused, "a", bytesOf(101))).toMatchObject({ code: "norm" });
    expect(sums.takeOut("a")).toEqual([counted]);
    // Computed again by others: who is found wrong later must not take them out a second time.
    for (const entry of [counted, refused]) sums.add(entry, "b", bytesOf(2));
    expect(sums.takeOut("a")).toEqual([]);
    expect(sums.mean(0)).toEqual(Float64Array.of(2));
  });

  it("that were confirmed stay when their worker is taken out", () => {
    const sums = new GradientSums(1, 1, 1e9);
    sums.addConfirmed(entryOf(0), bytesOf(5));
    sums.add(entryOf(1), "a", bytesOf(1));
    expect(sums.takeOut("a")).toEqual([entryOf(1)]);
    expect(sums.mean(0)).toEqual(Float64Array.of(5));
  });

  it("take no more memory for many steps and workers than for those at a time", () => {
    const sums = new GradientSums(1, 2, 1e9);
    for (let step = 0; step < 50; step++) {
      for (let i = 0; i < 20; i++) sums.add(entryOf(i, step), `worker ${i}`, bytesOf(1));
      sums.addConfirmed(entryOf(20, step), bytesOf(1));
      expect(sums.validate(bytesOf(1))).toBeUndefined();
      expect(sums.mean(step)).toEqual(Float64Array.of(1));
      sums.close(step);
    }
  });

  it("of a model that is too large say so before anything is computed", () => {
    expect(() => new GradientSums(1e8, 9, 1)).toThrow(/sums of 100000000 parameters do not fit .*smaller model/);
  });
});
