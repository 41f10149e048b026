import { expect, it } from "vitest";
import { degrade } from "../degradation/degrade.js";
import { type GaussianShape, gaussianKernel } from "../degradation/kernel.js";
import { createImage, type Image } from "../imaging/image.js";
import { Draws } from "../random/draws.js";
import { estimateKernel } from "./load-estimator.js";

const SIDE = 256;

/** Discs of any size and brightness, one over the other: edges in all directions, as photos have them. */
function discs(): Image {
  const image = createImage(SIDE, SIDE, 1);
  const draws = new Draws(5, [0, 0, 0]);
  for (let i = 0; i < 1500; i++) {
    const [y, x] = [draws.uniform(0, SIDE), draws.uniform(0, SIDE)];
    const [radius, value] = [2 / draws.uniform(0.05, 1), draws.uniform(0.1, 0.9)];
    for (let row = Math.max(0, Math.ceil(y - radius)); row < Math.min(SIDE, y + radius); row++) {
      const half = Math.sqrt(radius ** 2 - (row - y) ** 2);
      const [from, to] = [Math.max(0, Math.ceil(x - half)), Math.min(SIDE, Math.ceil(x + half))];
      image.data.fill(value, row * SIDE + from, row * SIDE + Math.max(from, to));
    }
  }
  return image;
}

const photo = discs();

async function widthsAfter(shape: GaussianShape): Promise<number[]> {
  const blurred = degrade(photo, { kernel: gaussianKernel(shape), scale: 2, downsampling: "direct" });
  const { lambda1, lambda2 } = (await estimateKernel(blurred)).shape;
  return [Math.sqrt(lambda1), Math.sqrt(lambda2)];
}

it("takes a blur that is much the same in all directions for round, and one that clearly is not for what it is", async () => {
  for (const lambda of [1, 2, 3]) {
    const [wide, narrow] = await widthsAfter({ lambda1: lambda, lambda2: lambda, theta: 0 });
    expect(narrow).toBeCloseTo(wide!, 9);
    expect(Math.abs(wide! - Math.sqrt(lambda))).toBeLessThan(0.2);
  }
  const [wide, narrow] = await widthsAfter({ lambda1: 4, lambda2: 1, theta: -0.5 });
  expect(wide! - narrow!).toBeGreaterThan(0.7);
});
