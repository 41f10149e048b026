import { describe, expect, it } from "vitest";
import {
  formatDuration,
  formatLoss,
  formatMemory,
  formatPercent,
  formatRate,
  formatSeconds,
  formatTick,
} from "./format.js";

const plain = (text: string) => text.replaceAll("\u00a0", " ");

describe("numbers as a person reads them", () => {
  it("long spans in two units at most", () => {
    const spans = [0, 59.6, 4320, 7200, 3599, 187_200, 86_400 * 9 - 1];
    expect(spans.map((seconds) => plain(formatDuration(seconds)))).toEqual([
      "0 s",
      "1 min",
      "1 h 12 min",
      "2 h",
      "1 h",
      "2 d 4 h",
      "9 d",
    ]);
  });

  it("short spans with three digits", () => {
    expect([0.0841, 0.9999, 1.236, 12.34, 120.4].map((seconds) => plain(formatSeconds(seconds)))).toEqual([
      "84 ms",
      "1 s",
      "1.24 s",
      "12.3 s",
      "120 s",
    ]);
  });

  it("losses, shares, rates and ticks", () => {
    expect([0.02514, 1.2345, 0, 1.84e-7].map(formatLoss)).toEqual(["0.0251", "1.23", "0", "1.84e−7"]);
    expect([0.184, 0.012, -0.05].map((share) => plain(formatPercent(share)))).toEqual(["18 %", "1.2 %", "−5.0 %"]);
    expect([0.64, 6.43, 1234].map(formatRate)).toEqual(["0.64", "6.4", "1\u202f234"]);
    expect([0.04, 0.038000000001, 0.0001].map(formatTick)).toEqual(["0.04", "0.038", "1e−4"]);
  });

  it("how much of a memory is used", () => {
    expect(plain(formatMemory(1.23e9, 85.5e9))).toBe("1.2 of 85.5 GB");
    expect(plain(formatMemory(0, 8e9))).toBe("0 of 8 GB");
  });

  it("an unknown number is a dash", () => {
    expect([formatLoss(null), formatSeconds(Number.NaN), formatDuration(null), formatRate(null)]).toEqual(
      Array(4).fill("–"),
    );
  });
});
