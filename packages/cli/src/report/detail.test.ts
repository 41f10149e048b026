import { createImage } from "@mzsr/mzsr";
import { describe, expect, it } from "vitest";
import { hardestWindow, magnify, windowAround } from "./detail.js";

describe("hardestWindow", () => {
  it("lies where the estimate differs most, away from the borders", () => {
    const reference = createImage(96, 128, 3);
    const estimate = createImage(96, 128, 3);
    // A strong difference at the very border must not win over one inside.
    for (let c = 0; c < 3; c++) estimate.data[c] = 1;
    for (let y = 50; y < 60; y++) for (let x = 70; x < 80; x++) estimate.data[(y * 128 + x) * 3] = 0.5;
    const window = hardestWindow(reference, estimate, 16, 4);
    expect(window.y).toBeLessThanOrEqual(50);
    expect(window.y + 16).toBeGreaterThanOrEqual(60);
    expect(window.x).toBeLessThanOrEqual(70);
    expect(window.x + 16).toBeGreaterThanOrEqual(80);
    expect([window.y % 4, window.x % 4]).toEqual([0, 0]);
  });
});

describe("windowAround", () => {
  it("keeps the middle where it can and stays inside the image", () => {
    const image = createImage(100, 100, 3);
    expect(windowAround({ y: 40, x: 40, height: 20, width: 20 }, 40, 60, image)).toEqual({
      y: 30,
      x: 20,
      height: 40,
      width: 60,
    });
    expect(windowAround({ y: 0, x: 90, height: 10, width: 10 }, 40, 40, image)).toEqual({
      y: 0,
      x: 60,
      height: 40,
      width: 40,
    });
    expect(windowAround({ y: 0, x: 0, height: 10, width: 10 }, 400, 40, image)).toMatchObject({ y: 0, height: 100 });
  });
});

describe("magnify", () => {
  it("makes every pixel a square and changes no value", () => {
    const image = createImage(1, 2, 1, Float32Array.of(0.25, 0.75));
    expect([...magnify(image, 2).data]).toEqual([0.25, 0.25, 0.75, 0.75, 0.25, 0.25, 0.75, 0.75]);
  });
});
