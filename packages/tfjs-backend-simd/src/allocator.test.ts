import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ALIGNMENT, Allocator, SimdMemoryError } from "./allocator.js";

const PAGE = 65_536;

/** Memory that only counts; refuses to grow beyond `limit` bytes. */
function countedMemory(limit = Number.POSITIVE_INFINITY) {
  return {
    byteLength: PAGE,
    grow(bytes: number) {
      if (this.byteLength + bytes > limit) throw new RangeError("refused");
      this.byteLength += bytes;
    },
  };
}

describe("Allocator", () => {
  it("never hands out overlapping, misaligned or unreachable pieces, and takes all of them back", () => {
    const commands = fc.array(
      fc.oneof(
        fc.record({ allocate: fc.integer({ min: 0, max: 5000 }) }),
        fc.record({ release: fc.nat(1000) }),
        fc.record({ allocate: fc.integer({ min: 100_000, max: 300_000 }) }),
      ),
      { maxLength: 200 },
    );
    fc.assert(
      fc.property(commands, (list) => {
        const memory = countedMemory();
        const allocator = new Allocator(memory, 1000, 2 ** 32);
        const live: { address: number; bytes: number }[] = [];
        for (const command of list) {
          if ("release" in command) {
            const [gone] = live.splice(command.release % Math.max(live.length, 1), 1);
            if (gone) allocator.release(gone.address);
            continue;
          }
          const bytes = command.allocate;
          const address = allocator.allocate(bytes);
          expect(address % ALIGNMENT).toBe(0);
          expect(address).toBeGreaterThanOrEqual(1000);
          expect(address + bytes).toBeLessThanOrEqual(memory.byteLength);
          for (const other of live) {
            expect(address + bytes <= other.address || other.address + other.bytes <= address).toBe(true);
          }
          live.push({ address, bytes });
        }
        expect(allocator.count).toBe(live.length);
        for (const { address } of live) allocator.release(address);
        expect(allocator.count).toBe(0);
        expect(allocator.usedBytes).toBe(0);
      }),
      { numRuns: 60 },
    );
  });

  it("joins what is freed, so that one piece of the whole fits again without growing", () => {
    const memory = countedMemory();
    const allocator = new Allocator(memory, 0, 2 ** 32);
    const pieces = Array.from({ length: 100 }, () => allocator.allocate(10_000));
    const grown = memory.byteLength;
    for (const i of pieces.keys()) allocator.release(pieces[(i * 37) % 100]!);
    expect(allocator.allocate(1_000_000)).toBe(0);
    expect(memory.byteLength).toBe(grown);
  });

  it("takes the smallest free block that fits", () => {
    const allocator = new Allocator(countedMemory(), 0, 2 ** 32);
    const [large, , small] = [5000, 64, 1000, 64].map((bytes) => allocator.allocate(bytes));
    allocator.release(large!);
    allocator.release(small!);
    expect(allocator.allocate(900)).toBe(small);
  });

  it("gives the same addresses for the same requests", () => {
    const addresses = () => {
      const allocator = new Allocator(countedMemory(), 0, 2 ** 32);
      const first = [100, 20_000, 300].map((bytes) => allocator.allocate(bytes));
      allocator.release(first[1]!);
      return [...first, ...[5000, 5000, 70_000].map((bytes) => allocator.allocate(bytes))];
    };
    expect(addresses()).toEqual(addresses());
  });

  it("reaches addresses beyond 2 GiB", () => {
    const allocator = new Allocator(countedMemory(), 0, 2 ** 32);
    allocator.allocate(3 * 2 ** 30);
    expect(allocator.allocate(2 ** 29)).toBeGreaterThan(2 ** 31);
  });

  it("says how much was asked for and how much is in use once the maximum is reached, and goes on", () => {
    const allocator = new Allocator(countedMemory(), 0, 2 ** 20);
    const first = allocator.allocate(700_000);
    const used = allocator.usedBytes;
    let error: unknown;
    try {
      allocator.allocate(400_000);
    } catch (caught) {
      error = caught;
    }
    expect(error).toBeInstanceOf(SimdMemoryError);
    expect(error).toMatchObject({ requestedBytes: 400_000, usedBytes: used, maximumBytes: 2 ** 20 });
    expect(String(error)).toContain("out of memory: asked for 0.4 MiB with 0.7 MiB in use of at most 1.0 MiB");
    expect(allocator.usedBytes).toBe(used);
    allocator.release(first);
    expect(allocator.allocate(900_000)).toBe(first);
  });

  it("gives the same error where the machine refuses to grow", () => {
    const allocator = new Allocator(countedMemory(2 * PAGE), 0, 2 ** 32);
    expect(() => allocator.allocate(3 * PAGE)).toThrow(SimdMemoryError);
    expect(allocator.count).toBe(0);
  });

  it("refuses to release what it did not hand out", () => {
    const allocator = new Allocator(countedMemory(), 0, 2 ** 32);
    const address = allocator.allocate(10);
    allocator.release(address);
    expect(() => allocator.release(address)).toThrow(`nothing is allocated at address ${address}`);
  });
});
