import fc from "fast-check";
import { expect, it } from "vitest";
import { heartbeatFromBytes, heartbeatToBytes } from "./heartbeat.js";
import { eventSubject, heartbeatSubject, statusSubject, subjectToken } from "./subjects.js";

it("subjects are those of the design", () => {
  expect(heartbeatSubject("quick", "w-1")).toBe("mzsr.quick.heartbeat.w-1");
  expect(heartbeatSubject("quick")).toBe("mzsr.quick.heartbeat.*");
  expect(eventSubject("quick", "join")).toBe("mzsr.quick.event.join");
  expect(statusSubject("my run")).toBe("mzsr.my=20run.status");
});

it("any name is one token, and two names are two tokens", () => {
  const name = fc.string({ minLength: 1, unit: "grapheme" });
  fc.assert(
    fc.property(name, name, (a, b) => {
      expect(subjectToken(a)).toMatch(/^[A-Za-z0-9_=-]+$/);
      expect(subjectToken(a) === subjectToken(b)).toBe(a === b);
    }),
  );
});

const beat = {
  worker: "w",
  incarnation: "i",
  at: 1,
  busySlots: 1,
  slots: 2,
  backend: "simd",
  tasksDone: 3,
  busyRatio: 0.5,
  rssBytes: 1e8,
  gpu: { utilisation: 0.9, memoryUsedBytes: 1e9, memoryTotalBytes: 8e10 },
};

it("a heartbeat survives the wire, with and without a GPU", () => {
  expect(heartbeatFromBytes(heartbeatToBytes(beat))).toEqual(beat);
  const { gpu: _, ...without } = beat;
  expect(heartbeatFromBytes(heartbeatToBytes(without))).toEqual(without);
});

it("a heartbeat that is none is refused", () => {
  expect(() => heartbeatFromBytes(Buffer.from("hello"))).toThrow(/heartbeat: is not JSON/);
  expect(() => heartbeatFromBytes(Buffer.from(JSON.stringify({ ...beat, busyRatio: 2 })))).toThrow(/busyRatio/);
});
