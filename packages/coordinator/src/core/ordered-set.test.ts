import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { merged, OrderedSet } from "./ordered-set.js";

const ascending = (a: number, b: number) => a - b;

describe("an ordered set", () => {
  it("holds what was added and not removed, in order, and finds where a bound falls", () => {
    const changes = fc.array(fc.tuple(fc.boolean(), fc.nat(400)), { maxLength: 1500, size: "max" });
    fc.assert(
      fc.property(changes, fc.nat(400), (all, bound) => {
        const [set, plain] = [new OrderedSet<number>(ascending), new Set<number>()];
        for (const [wanted, item] of all) {
          set.toggle(item, wanted);
          if (wanted) plain.add(item);
          else plain.delete(item);
        }
        const sorted = [...plain].sort(ascending);
        expect([...set]).toEqual(sorted);
        expect([set.size, set.first]).toEqual([sorted.length, sorted[0]]);
        expect(set.firstFrom((item) => item < bound)).toBe(sorted.find((item) => item >= bound));
        expect([...set.until((item) => item < bound)]).toEqual(sorted.filter((item) => item < bound));
      }),
      { numRuns: 100 },
    );
  });

  it("is asked for a place in a number of comparisons that grows with the logarithm of its size", () => {
    const comparisons = (size: number) => {
      let count = 0;
      const set = new OrderedSet<number>((a, b) => {
        count++;
        return a - b;
      });
      for (let item = 0; item < size; item++) set.add((item * 7919) % size);
      count = 0;
      for (let item = 0; item < size; item++) {
        set.delete(item);
        set.add(item);
      }
      return count / size;
    };
    expect(comparisons(65_536) / comparisons(256)).toBeLessThan(3);
  });
});

describe("merged", () => {
  it("gives both in order, reading no further than it is asked to", () => {
    function* counting(from: number, to: number): Generator<number> {
      for (let n = from; n <= to; n += 2) yield n;
      throw new Error("read to the end");
    }
    const first = merged(counting(1, 99), counting(2, 98), ascending);
    expect(Array.from({ length: 5 }, () => first.next().value)).toEqual([1, 2, 3, 4, 5]);
  });
});
