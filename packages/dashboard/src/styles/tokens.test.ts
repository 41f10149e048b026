import { readFile } from "node:fs/promises";
import { expect, it } from "vitest";

type Colour = readonly [red: number, green: number, blue: number];

/** Linear RGB as people see it with each kind of eyes: Machado, Oliveira, Fernandes 2009, at full severity. */
const EYES: Readonly<Record<string, readonly Colour[]>> = {
  "all cones": [
    [1, 0, 0],
    [0, 1, 0],
    [0, 0, 1],
  ],
  protanopia: [
    [0.152286, 1.052583, -0.204868],
    [0.114503, 0.786281, 0.099216],
    [-0.003882, -0.048116, 1.051998],
  ],
  deuteranopia: [
    [0.367322, 0.860646, -0.227968],
    [0.280085, 0.672501, 0.047413],
    [-0.01182, 0.04294, 0.968881],
  ],
  tritanopia: [
    [1.255528, -0.076749, -0.178779],
    [-0.078411, 0.930809, 0.147602],
    [0.004733, 0.691367, 0.3039],
  ],
};

/** CIE76: from about 10 on, two colours are told apart at a glance. */
const TOLD_APART = 15;
/** WCAG 1.4.11, for what is drawn. */
const CONTRAST = 3;

const CURVES = ["--after", "--before", ...Array.from({ length: 7 }, (_, at) => `--compared-${at + 1}`)];

const css = await readFile(new URL("tokens.css", import.meta.url), "utf8");
const themes = { light: css.slice(css.indexOf(":root {")), dark: css.slice(css.indexOf(':root[data-theme="dark"] {')) };

function linear(rules: string, name: string): Colour {
  const hex = new RegExp(`${name}: #([0-9a-f]{6});`).exec(rules)![1]!;
  const [red, green, blue] = [0, 2, 4].map((at) => {
    const value = Number.parseInt(hex.slice(at, at + 2), 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });
  return [red!, green!, blue!];
}

function seen(colour: Colour, eyes: readonly Colour[]): Colour {
  const [red, green, blue] = eyes.map((row) => Math.min(1, Math.max(0, dot(row, colour))));
  return [red!, green!, blue!];
}

const luminance = (colour: Colour) => dot([0.2126, 0.7152, 0.0722], colour);

function contrast(a: Colour, b: Colour): number {
  const [dark, bright] = [luminance(a), luminance(b)].sort((x, y) => x - y);
  return (bright! + 0.05) / (dark! + 0.05);
}

function lab(colour: Colour): Colour {
  const root = (t: number) => (t > 0.008856 ? Math.cbrt(t) : 7.787 * t + 16 / 116);
  const x = root(dot([0.4124, 0.3576, 0.1805], colour) / 0.9505);
  const y = root(luminance(colour));
  const z = root(dot([0.0193, 0.1192, 0.9505], colour) / 1.089);
  return [116 * y - 16, 500 * (x - y), 200 * (y - z)];
}

function dot(a: Colour, b: Colour): number {
  return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

it.each(Object.entries(themes))(
  "eight runs' curves are told apart by everybody, and seen on the ground, %s",
  (_, rules) => {
    const surface = linear(rules, "--surface");
    const colours = CURVES.map((name) => [name, linear(rules, name)] as const);
    expect(colours.filter(([, colour]) => contrast(colour, surface) < CONTRAST)).toEqual([]);
    const alike = Object.entries(EYES).flatMap(([name, eyes]) => {
      const points = colours.map(([curve, colour]) => [curve, lab(seen(colour, eyes))] as const);
      return points.flatMap(([a, from], at) =>
        points.slice(at + 1).flatMap(([b, to]) => {
          const distance = Math.hypot(from[0] - to[0], from[1] - to[1], from[2] - to[2]);
          return distance < TOLD_APART ? [`${a} and ${b} with ${name}: ${distance.toFixed(1)}`] : [];
        }),
      );
    });
    expect(alike).toEqual([]);
  },
);
