import { expect, test } from "vitest";
import { MessageMemory } from "./message-memory.js";

const KIB = 1024;

test("so many bytes may be in use at a time, but one message always", () => {
  const memory = new MessageMemory(256 * KIB);
  const large = memory.take(300 * KIB)!;
  expect([large.length, memory.take(70 * KIB)]).toEqual([300 * KIB, undefined]);
  memory.release(large);
  const both = [memory.take(70 * KIB)!, memory.take(128 * KIB)!];
  expect(both.map(({ length }) => length)).toEqual([70 * KIB, 128 * KIB]);
  expect(memory.take(70 * KIB)).toBeUndefined();
});

test("small messages never wait, and count for nothing", () => {
  const memory = new MessageMemory(64 * KIB);
  memory.take(70 * KIB);
  const before = memory.usedBytes;
  expect(memory.take(64 * KIB)).toHaveLength(64 * KIB);
  expect(memory.usedBytes).toBe(before);
});

test("those who wait are served in their order: a large one is not passed by small ones", () => {
  const memory = new MessageMemory(256 * KIB);
  const [first, second] = [memory.take(128 * KIB)!, memory.take(128 * KIB)!];
  const served: number[] = [];
  const wait = (kib: number) => memory.wait(kib * KIB, ({ length }) => served.push(length / KIB));
  wait(200);
  wait(70);
  memory.release(first);
  expect([served, memory.take(70 * KIB)]).toEqual([[], undefined]);
  memory.release(second);
  expect(served).toEqual([200]);
});

test("who does not wait any more holds up nobody", () => {
  const memory = new MessageMemory(256 * KIB);
  const first = memory.take(128 * KIB)!;
  const served: number[] = [];
  const stop = memory.wait(200 * KIB, ({ length }) => served.push(length / KIB));
  memory.wait(70 * KIB, ({ length }) => served.push(length / KIB));
  stop();
  expect(served).toEqual([70]);
  memory.abandon(first);
  expect(memory.usedBytes).toBe(128 * KIB);
});

test("what is kept for the next message stays within the bound too", () => {
  const memory = new MessageMemory(256 * KIB);
  const buffers = new Set<unknown>();
  for (let kib = 65; kib < 256; kib++) {
    const message = memory.take(kib * KIB)!;
    buffers.add(message.buffer);
    memory.release(message);
    expect(memory.heldBytes).toBeLessThanOrEqual(256 * KIB);
  }
  expect(buffers.size).toBe(3);
});
