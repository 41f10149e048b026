import { describe, expect, it } from "vitest";
import { TaskTimes } from "./task-times.js";

describe("TaskTimes", () => {
  it("knows no deadline before the first result, and calls a lease slow after the patience", () => {
    const times = new TaskTimes(5);
    expect(times.deadlineMs(0)).toBe(Number.POSITIVE_INFINITY);
    expect(times.slowMs).toBe(5000);
  });

  it("takes the median as usual, so that one slow task moves nothing", () => {
    const times = new TaskTimes(5);
    for (const ms of [2000, 2100, 1900, 60_000, 2000]) times.observe(ms);
    expect(times.usualMs).toBe(2000);
    expect(times.slowMs).toBe(4000);
    expect(times.deadlineMs(0)).toBe(10_000);
  });

  it("never ends a lease before the patience in seconds, however quick tasks are", () => {
    const times = new TaskTimes(5);
    times.observe(10);
    expect(times.deadlineMs(0)).toBe(5000);
  });

  it("doubles the deadline each time a task ran out of time, so that a slow cluster still ends", () => {
    const times = new TaskTimes(2);
    times.observe(1000);
    expect([0, 1, 2, 3].map((n) => times.deadlineMs(n))).toEqual([2000, 4000, 8000, 16_000]);
  });

  it("follows the tasks as they become slower", () => {
    const times = new TaskTimes(5);
    for (let i = 0; i < 100; i++) times.observe(1000);
    for (let i = 0; i < 64; i++) times.observe(8000);
    expect(times.usualMs).toBe(8000);
  });
});
