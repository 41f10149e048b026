/** Features against formulas written out anew, and against flips and turns of the photo. */
import { describe, expect, it } from "vitest";
import { createImage, type Image, transformImage } from "../imaging/image.js";
import { Draws } from "../random/draws.js";
import { blurFeatures, FEATURES, SYMMETRIES } from "./features.js";
import { lumaOf } from "./luma.js";
import { quantile, SPECTRUM_FEATURES } from "./spectrum-features.js";
import { WINDOW_SIDE, WindowPower } from "./window-power.js";

/** Edges, flats and noise, so that every feature has something to see. The sides leave equal margins around the grids. */
function testPhoto(height = 64, width = 80, channels = 3): Image {
  const draws = new Draws(7, [1, 2, 3]);
  const photo = createImage(height, width, channels);
  photo.data.forEach((_, i) => {
    const [x, y] = [Math.floor(i / channels) % width, Math.floor(i / channels / width)];
    const square = (x > 20 && x < 50 && y > 10 && y < 40 ? 0.6 : 0) + (x + 2 * y > 120 ? 0.2 : 0);
    photo.data[i] = 0.1 + square + 0.02 * draws.normal();
  });
  return photo;
}

describe("luma", () => {
  it("is 0 for black, 1 for white, and weighs green most", () => {
    const colours = createImage(1, 5, 3, Float32Array.of(0, 0, 0, 1, 1, 1, 1, 0, 0, 0, 1, 0, 0, 0, 1));
    const { data } = lumaOf(colours);
    [0, 1, 0.299, 0.587, 0.114].forEach((luma, i) => void expect(data[i]).toBeCloseTo(luma, 3));
  });
});

describe("a window's power", () => {
  it("is that of the discrete Fourier transform, written out", () => {
    const plane = lumaOf(testPhoto());
    const [top, left] = [5, 11];
    const power = new Float64Array(WINDOW_SIDE ** 2);
    new WindowPower().measure(plane, top, left, power);

    const n = WINDOW_SIDE;
    const hann = Array.from({ length: n }, (_, i) => (1 - Math.cos((2 * Math.PI * (i + 0.5)) / n)) / 2);
    const pixels = Array.from({ length: n }, (_, y) =>
      Array.from({ length: n }, (_, x) => plane.data[(top + y) * plane.width + left + x]!),
    );
    const mean = pixels.flat().reduce((sum, value) => sum + value, 0) / n ** 2;
    const squares = hann.reduce((sum, weight) => sum + weight ** 2, 0) ** 2;
    for (const [fy, fx] of [
      [0, 0],
      [0, 5],
      [3, 0],
      [7, 12],
      [16, 16],
      [25, 30],
    ] as const) {
      let [re, im] = [0, 0];
      for (let y = 0; y < n; y++) {
        for (let x = 0; x < n; x++) {
          const value = (pixels[y]![x]! - mean) * hann[y]! * hann[x]!;
          const phase = (-2 * Math.PI * (fy * y + fx * x)) / n;
          re += value * Math.cos(phase);
          im += value * Math.sin(phase);
        }
      }
      expect(power[fy * n + fx]).toBeCloseTo((re ** 2 + im ** 2) / squares, 10);
    }
  });
});

describe("features", () => {
  it("of edges are the steepest step across an edge as a part of the whole, in each direction", () => {
    // A ramp of four pixels across, the same all the way down: each step is a quarter, and no edge lies along the columns.
    const ramp = createImage(48, 48, 1);
    ramp.data.forEach((_, i) => {
      ramp.data[i] = Math.min(Math.max(((i % 48) - 22) / 4, 0), 1);
    });
    const edges = blurFeatures(ramp).subarray(SPECTRUM_FEATURES);
    const perDirection = edges.length / 4;
    const [across, down] = [edges.subarray(0, perDirection), edges.subarray(perDirection, 2 * perDirection)];
    for (const slope of across.subarray(0, 5)) expect(slope).toBeCloseTo(0.25, 6);
    for (const feature of down) expect(feature).toBe(0);
  });

  it("of a spectrum fall where an image is blurred across, in the sectors across and not in those along", () => {
    const sharp = testPhoto(64, 64, 1);
    const smooth = createImage(64, 64, 1);
    smooth.data.forEach((_, i) => {
      const x = i % 64;
      const at = (dx: number) => sharp.data[i - x + Math.min(Math.max(x + dx, 0), 63)]!;
      smooth.data[i] = (at(-1) + 2 * at(0) + at(1)) / 4;
    });
    const [before, after] = [blurFeatures(sharp), blurFeatures(smooth)];
    const change = after.map((value, i) => value - before[i]!);
    // The fourth ring from .26 to .33 has all eight sectors; the first is that of the x axis, the fifth of the y axis.
    const ring = [...change.subarray(0, SPECTRUM_FEATURES / 3)].slice(3 * 8, 4 * 8);
    expect(ring[0]).toBeLessThan(-1);
    expect(ring[4]).toBeGreaterThan(-0.3);
  });

  it("of a flipped or turned photo are the photo's own in another order", () => {
    // Sides that leave equal margins around the grid of windows, and those around every second pixel.
    const [even, odd] = [testPhoto(80, 64), testPhoto(81, 65)];
    const [ofEven, ofOdd] = [blurFeatures(even), blurFeatures(odd)];
    // Left for right, a quarter turn, and a quarter turn of the flipped photo.
    [0, 4, 1, 5].forEach((dihedral, i) => {
      const { order } = SYMMETRIES[i]!;
      const [spectra, edges] = [even, odd].map((photo) => blurFeatures(transformImage(photo, dihedral)));
      // Half a cycle a pixel has no sign: which sector it counts to is a convention.
      const differs = (f: number) => Math.abs(spectra![f]! - ofEven[order[f]!]!);
      for (let f = 0; f < SPECTRUM_FEATURES; f++) expect(differs(f)).toBeLessThan(0.05);
      for (let f = SPECTRUM_FEATURES; f < FEATURES; f++) expect(edges![f]).toBeCloseTo(ofOdd[order[f]!]!, 9);
    });
  });

  it("of large photos take an even part of the windows", () => {
    const tile = testPhoto(64, 64, 1);
    const large = createImage(1600, 1600, 1);
    large.data.forEach((_, i) => {
      large.data[i] = tile.data[(Math.floor(i / 1600) % 64) * 64 + (i % 64)]!;
    });
    expect(blurFeatures(large).every(Number.isFinite)).toBe(true);
  });
});

describe("a quantile", () => {
  it("lies between its neighbours", () => {
    expect(quantile([1, 2, 4], 0.5)).toBe(2);
    expect(quantile([1, 2, 4], 0.75)).toBe(3);
    expect(quantile([5], 0.3)).toBe(5);
  });
});
