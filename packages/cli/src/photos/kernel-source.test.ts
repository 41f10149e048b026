/** The estimator that comes with the package, on photographs that it never saw. */
import {
  blur,
  createImage,
  cropImage,
  degrade,
  gaussianKernel,
  type Image,
  InputError,
  PAPER_KERNELS,
  readImage,
  rootOf,
  throughJpeg,
  transformImage,
  widthError,
} from "@mzsr/mzsr";
import { beforeAll, describe, expect, it } from "vitest";
import { heldOutPhotos } from "./embedded-photos.js";
import { estimateInWords, planKernel, plannedKernel, testKernels } from "./kernel-source.js";

let photos: Image[];

beforeAll(async () => {
  const read = heldOutPhotos().map(({ path }) => readImage(path));
  // As large as the photos of common test sets.
  photos = (await Promise.all(read)).map((photo) => cropImage(photo, 100, 200, 400, 600));
});

const blurred = (photo: Image, shape: { lambda1: number; lambda2: number; theta: number }) =>
  degrade(photo, { kernel: gaussianKernel(shape), scale: 2, downsampling: "direct" });

const kernelOfPhoto = async (photo: Image, name: string, { scale }: { scale: number }) =>
  plannedKernel(await planKernel(name, {}), photo, scale);

describe("auto", () => {
  it("finds the kernels of the paper, whole or through a JPEG file", async () => {
    for (const photo of photos) {
      for (const name of ["g0.2", "g2.0", "gani"] as const) {
        const low = blurred(photo, PAPER_KERNELS[name]);
        for (const image of [low, await throughJpeg(low, 90)]) {
          const { estimate } = await kernelOfPhoto(image, "auto", { scale: 2 });
          expect(widthError(rootOf(estimate!.shape), rootOf(PAPER_KERNELS[name]))).toBeLessThan(0.3);
        }
      }
    }
  });

  it("finds along which line a blur is wider, and says so in words", async () => {
    const { estimate, kernel } = await kernelOfPhoto(blurred(photos[0]!, PAPER_KERNELS.gani), "auto", { scale: 2 });
    expect(estimate!.shape.theta).toBeCloseTo(PAPER_KERNELS.gani.theta, 0);
    // θ counts downwards, as y does; people look up.
    expect(estimateInWords(estimate!)).toMatch(
      /^about 1\.[3-7] px of blur, (much )?wider along (2|3)[05]°; direct; sure to 0\.\d+ px \(gauss:/,
    );
    expect(kernel.name).toMatch(/^auto \(gauss:[\d.]+,[\d.]+,-?[\d.]+\)$/);
  });

  it("finds kernels for other scales than it was trained for", async () => {
    for (const [scale, lambda1, lambda2] of [
      [3, 4, 2],
      [4, 6, 4],
    ] as const) {
      const shape = { lambda1, lambda2, theta: 0.4 };
      const low = degrade(photos[1]!, { kernel: gaussianKernel(shape), scale, downsampling: "direct" });
      const { estimate } = await kernelOfPhoto(low, "auto", { scale });
      expect(widthError(rootOf(estimate!.shape), rootOf(shape))).toBeLessThan(0.15 * scale);
    }
  });

  it("goes by the part of a photo that is in focus", async () => {
    const shape = { lambda1: 1.3, lambda2: 1.3, theta: 0 };
    const lens = gaussianKernel({ lambda1: 4, lambda2: 4, theta: 0 });
    const widthOf = async (photo: Image) => {
      const { estimate } = await kernelOfPhoto(blurred(photo, shape), "auto", { scale: 2 });
      return (Math.sqrt(estimate!.shape.lambda1) + Math.sqrt(estimate!.shape.lambda2)) / 2;
    };
    for (const photo of photos) {
      const outOfFocus = blur(photo, lens);
      const partly = { ...outOfFocus, data: outOfFocus.data.slice() };
      const row = 3 * photo.width;
      for (let y = photo.height / 2; y < photo.height; y++) {
        const middle = (y + 0.5) * row;
        partly.data.set(photo.data.subarray(middle, (y + 1) * row), middle);
      }
      expect(Math.abs((await widthOf(partly)) - (await widthOf(photo)))).toBeLessThan(0.2);
      expect(await widthOf(outOfFocus)).toBeGreaterThan((await widthOf(photo)) + 0.5);
    }
  });

  it("turns with the photo", async () => {
    const low = blurred(photos[1]!, { lambda1: 4, lambda2: 1, theta: 0.4 });
    const [upright, turned] = await Promise.all(
      [low, transformImage(low, 1)].map(async (image) =>
        rootOf((await kernelOfPhoto(image, "auto", { scale: 2 })).estimate!.shape),
      ),
    );
    expect(turned!.xx).toBeCloseTo(upright!.yy, 1);
    expect(turned!.yy).toBeCloseTo(upright!.xx, 1);
    expect(turned!.xy).toBeCloseTo(-upright!.xy, 1);
  });

  it("takes a narrow kernel and says that it is unsure where nothing is to be seen", async () => {
    const flat = createImage(100, 100, 3);
    const tiny = cropImage(photos[0]!, 0, 0, 20, 20);
    for (const image of [flat, tiny]) {
      const { estimate } = await kernelOfPhoto(image, "auto", { scale: 2 });
      expect(estimate!.certain).toBe(false);
      expect(estimate!.shape.lambda1).toBeLessThan(0.5);
      expect(estimateInWords(estimate!)).toContain("unsure");
    }
  });
});

describe("random kernels", () => {
  it("differ from photo to photo and by seed, and come again", async () => {
    const names = async (name: string) => {
      const { kernelOf } = await testKernels(name, { scale: 2 });
      return [0, 1, 2].map((place) => kernelOf(place).kernel.name);
    };
    const first = await names("random:3");
    expect(new Set(first).size).toBe(3);
    expect(await names("random:3")).toEqual(first);
    expect(await names("random:4")).not.toEqual(first);
  });

  it("of a seed that is none are refused", async () => {
    await expect(testKernels("random:x", { scale: 2 })).rejects.toThrow(InputError);
  });
});
