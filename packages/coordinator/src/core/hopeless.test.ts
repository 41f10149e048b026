import { describe, expect, it } from "vitest";
import { type FailedTask, isHopeless } from "./hopeless.js";

function failed(failures: string, credible: string, more: Partial<FailedTask> = {}): boolean {
  const names = (text: string) => (text === "" ? [] : text.split(" "));
  const task = { failures: names(failures), credible: new Set(names(credible)) };
  return isHopeless({ ...task, untried: false, anyAccepted: true, patiences: 0, ...more });
}

describe("a task that workers fail at", () => {
  it("is hopeless when three whose other results are accepted are among them, and all there have tried", () => {
    expect(failed("a b", "a b")).toBe(false);
    expect(failed("a b c", "a b c")).toBe(true);
    expect(failed("a b c", "a b c", { untried: true })).toBe(false);
  });

  it("is hopeless after twelve failures of such workers, whoever is there", () => {
    const times = (count: number) => Array(count).fill("a").join(" ");
    expect(failed(times(11), "a", { untried: true })).toBe(false);
    expect(failed(times(12), "a", { untried: true })).toBe(true);
  });

  it("is not hopeless for workers that only fail, while results of others are accepted", () => {
    expect(failed(Array(99).fill("x y z").join(" "), "", { patiences: 999 })).toBe(false);
  });

  it("is hopeless when nobody's results are accepted: after six patiences, or sixty with somebody who has not tried", () => {
    const nothing = { anyAccepted: false };
    expect(failed("x y z", "", { ...nothing, patiences: 5.9 })).toBe(false);
    expect(failed("x y z", "", { ...nothing, patiences: 6 })).toBe(true);
    expect(failed("x y", "", { ...nothing, patiences: 6 })).toBe(false);
    expect(failed("x y z", "", { ...nothing, patiences: 59, untried: true })).toBe(false);
    expect(failed("x y z", "", { ...nothing, patiences: 60, untried: true })).toBe(true);
  });
});
