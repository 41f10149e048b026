/** What a photo carries, from file to file: pixels are compared with what was put there, not with what this code reads. */
import { largestDifference } from "@mzsr/testing/golden-image";
import sharp from "sharp";
import { describe, expect, it, test } from "vitest";
import { createImage } from "../imaging/image.js";
import { IMAGE_FORMATS, type ImageFormat } from "../imaging/image-formats.js";
import { profileChunk, withPngChunks } from "../imaging/png-chunks.js";
import { encodePhoto } from "./encode-photo.js";
import type { Photo } from "./photo.js";
import { readPhotoBytes } from "./read-photo.js";

const [HEIGHT, WIDTH] = [24, 32];
const PIXELS = HEIGHT * WIDTH;
const FORMATS = Object.keys(IMAGE_FORMATS) as ImageFormat[];

/** Smooth, so that lossy formats keep it; of any number of channels. */
const ramp = (channels: number) =>
  Float32Array.from({ length: PIXELS * channels }, (_, i) => {
    const pixel = Math.floor(i / channels);
    return 0.1 + (0.6 * (pixel % WIDTH)) / WIDTH + (0.08 * Math.floor(pixel / WIDTH)) / HEIGHT + 0.05 * (i % channels);
  });
const photo = (more: Partial<Photo> = {}): Photo => ({ ...createImage(HEIGHT, WIDTH, 3, ramp(3)), ...more });
const greyPhoto = (): Photo => {
  const grey = ramp(1);
  return {
    ...createImage(
      HEIGHT,
      WIDTH,
      3,
      Float32Array.from({ length: PIXELS * 3 }, (_, i) => grey[Math.floor(i / 3)]!),
    ),
    grey: true,
  };
};

/** The file's samples as stored, in [0, 1], by sharp alone. */
async function stored(bytes: Uint8Array) {
  const metadata = await sharp(bytes).metadata();
  const wide = metadata.depth === "ushort";
  const space = metadata.channels > 2 ? (wide ? "rgb16" : "srgb") : wide ? "grey16" : "b-w";
  const image = sharp(bytes, { ignoreIcc: true })
    .toColourspace(space)
    .raw({ depth: wide ? "ushort" : "uchar" });
  const { data, info } = await image.toBuffer({ resolveWithObject: true });
  const samples = wide ? new Uint16Array(data.buffer, data.byteOffset, data.length / 2) : data;
  return {
    metadata,
    channels: info.channels,
    samples: Float32Array.from(samples, (level) => level / (wide ? 65535 : 255)),
  };
}

const LOSS: Record<ImageFormat, number> = { png: 0.002, tiff: 0.002, jpeg: 0.02, webp: 0.04, avif: 0.03 };

describe("a photo's pixels", () => {
  it.each(FORMATS)("are written to %s", async (format) => {
    const { bytes, notes } = await encodePhoto(photo(), format, { quality: 95 });
    const { metadata, channels, samples } = await stored(bytes);
    expect([metadata.format, metadata.width, metadata.height, channels, notes]).toEqual([
      format === "avif" ? "heif" : format,
      WIDTH,
      HEIGHT,
      3,
      [],
    ]);
    expect(largestDifference(samples, ramp(3))).toBeLessThan(LOSS[format]);
  });

  it.each(["jpeg", "webp", "avif"] as const)("take less room in %s of lower quality", async (format) => {
    const noisy = photo({ data: ramp(3).map((value, i) => value + ((i * 7919) % 64) / 256) });
    const sizes = await Promise.all(
      [30, 95].map(async (quality) => (await encodePhoto(noisy, format, { quality })).bytes.length),
    );
    expect(sizes[0]).toBeLessThan(0.7 * sizes[1]!);
  });

  it.each(["png", "tiff"] as const)("keep 16 bits in %s, colour and grey, with and without alpha", async (format) => {
    for (const of of [
      photo(),
      greyPhoto(),
      photo({
        alpha: createImage(
          HEIGHT,
          WIDTH,
          1,
          ramp(1).map((value) => value + 0.1),
        ),
      }),
    ]) {
      const first = await encodePhoto({ ...of, bits: 16 }, format);
      const { metadata, channels, samples } = await stored(first.bytes);
      expect([metadata.depth, channels]).toEqual(["ushort", (of.grey ? 1 : 3) + (of.alpha ? 1 : 0)]);
      if (of.alpha === undefined) expect(largestDifference(samples, ramp(channels))).toBeLessThan(1e-5);
      const again = await readPhotoBytes(first.bytes, "again");
      expect(again).toMatchObject({ bits: 16, grey: of.grey ?? false, notes: [] });
      expect(largestDifference(again.data, of.data)).toBeLessThan(1e-5);
    }
  });

  it("that are 16 bits wide are rounded where a format has 8, and that is said", async () => {
    for (const format of ["jpeg", "webp", "avif"] as const) {
      const { bytes, notes } = await encodePhoto(photo({ bits: 16 }), format, { quality: 95 });
      expect(notes).toEqual([expect.stringContaining("rounded to 8")]);
      expect(largestDifference((await stored(bytes)).samples, ramp(3))).toBeLessThan(LOSS[format]);
    }
  });

  it("stay one channel of grey where a format has that, else it is said", async () => {
    for (const format of FORMATS) {
      const { bytes, notes } = await encodePhoto(greyPhoto(), format, { quality: 95 });
      const { channels, samples } = await stored(bytes);
      const one = IMAGE_FORMATS[format].grey;
      expect([format, channels, notes.length]).toEqual([format, one ? 1 : 3, one ? 0 : 1]);
      if (one) expect(largestDifference(samples, ramp(1))).toBeLessThan(LOSS[format]);
      if (one) expect((await readPhotoBytes(bytes, "grey")).grey).toBe(true);
    }
  });
});

describe("transparency", () => {
  const alpha = createImage(
    HEIGHT,
    WIDTH,
    1,
    Float32Array.from({ length: PIXELS }, (_, i) => (i % WIDTH) / (WIDTH - 1)),
  );

  it("is kept, colours beside it, where a format has it", async () => {
    for (const format of ["png", "webp", "tiff", "avif"] as const) {
      const { bytes, notes } = await encodePhoto(photo({ alpha }), format, { quality: 95 });
      const again = await readPhotoBytes(format === "avif" ? await sharp(bytes).png().toBuffer() : bytes, "again");
      expect([format, notes]).toEqual([format, []]);
      expect(largestDifference(again.alpha!.data, alpha.data)).toBeLessThan(LOSS[format]);
      const expected = ramp(3);
      const seen = again.data.map((value, i) => (alpha.data[Math.floor(i / 3)]! > 0.2 ? value : expected[i]!));
      expect(largestDifference(seen, expected)).toBeLessThan(LOSS[format]);
    }
  });

  it("is laid on white in JPEG, and that is said", async () => {
    const { bytes, notes } = await encodePhoto(photo({ alpha }), "jpeg", { quality: 95 });
    expect(notes).toEqual([expect.stringContaining("laid on white")]);
    const onWhite = ramp(3).map((value, i) => 1 - alpha.data[Math.floor(i / 3)]! * (1 - value));
    expect(largestDifference((await stored(bytes)).samples, onWhite)).toBeLessThan(LOSS.jpeg);
  });

  it("hides colours that nobody sees: they are those around them", async () => {
    // A red disc on transparent black.
    const disc = (i: number) => ((i % WIDTH) - 16) ** 2 + (Math.floor(i / WIDTH) - 12) ** 2 < 49;
    const rgba = Uint8Array.from({ length: PIXELS * 4 }, (_, i) =>
      disc(Math.floor(i / 4)) ? [200, 20, 40, 255][i % 4]! : 0,
    );
    const png = await sharp(rgba, { raw: { width: WIDTH, height: HEIGHT, channels: 4 } })
      .png()
      .toBuffer();
    const { data, alpha: seen } = await readPhotoBytes(png, "disc.png");
    expect([...seen!.data]).toEqual(Array.from({ length: PIXELS }, (_, i) => (disc(i) ? 1 : 0)));
    const red = Float32Array.from({ length: PIXELS * 3 }, (_, i) => [200, 20, 40][i % 3]! / 255);
    expect(largestDifference(data, red)).toBeLessThan(1e-6);
  });
});

describe("what else a file carries", () => {
  const XMP =
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"/></x:xmpmeta>';
  const levels = Uint8Array.from(ramp(3), (value) => Math.round(value * 255));
  const source = () => sharp(levels, { raw: { width: WIDTH, height: HEIGHT, channels: 3 } });
  const full = () =>
    source()
      .withExif({
        IFD0: { Copyright: "Somebody", Orientation: "6" },
        IFD2: { DateTimeOriginal: "2020:02:02 02:02:02" },
      })
      .withXmp(XMP)
      .withDensity(300)
      .jpeg({ quality: 100, chromaSubsampling: "4:4:4" })
      .toBuffer();

  it.each(FORMATS)("survives in %s, or is told of", async (format) => {
    const read = await readPhotoBytes(await full(), "full.jpg");
    const { bytes, notes } = await encodePhoto(read, format);
    const metadata = await sharp(bytes).metadata();
    const exif = metadata.exif?.toString("latin1") ?? "";
    if (format === "tiff") expect(notes).toEqual([expect.stringContaining("EXIF")]);
    else expect([exif.includes("Somebody"), exif.includes("2020:02:02")]).toEqual([true, true]);
    if (format === "webp" || format === "avif") expect(notes).toEqual([expect.stringContaining("300 pixels an inch")]);
    else expect(metadata.density).toBe(300);
    expect(metadata.xmp?.toString()).toContain("adobe:ns:meta/");
  });

  it("includes no turn that was made already", async () => {
    const turned = await readPhotoBytes(
      await source().withMetadata({ orientation: 6 }).jpeg({ quality: 100 }).toBuffer(),
      "p.jpg",
    );
    expect([turned.height, turned.width, turned.notes]).toEqual([WIDTH, HEIGHT, []]);
    for (const format of ["png", "jpeg", "webp"] as const) {
      const { orientation = 1, width } = await sharp((await encodePhoto(turned, format)).bytes).metadata();
      expect([orientation, width]).toEqual([1, HEIGHT]);
    }
  });

  describe("of a colour profile", () => {
    const p3 = () => source().withIccProfile("p3").png().toBuffer();

    test("is embedded again, with pixels that mean the same colours", async () => {
      const file = await p3();
      const before = await stored(file);
      const read = await readPhotoBytes(file, "p3.png");
      for (const format of FORMATS) {
        const { bytes, notes } = await encodePhoto(read, format, { quality: 100 });
        const after = await stored(bytes);
        expect([format, notes]).toEqual([format, []]);
        expect(after.metadata.icc?.equals(before.metadata.icc!)).toBe(true);
        expect(largestDifference(after.samples, before.samples)).toBeLessThan(LOSS[format]);
      }
    });

    test("is computed with in sRGB", async () => {
      const read = await readPhotoBytes(await p3(), "p3.png");
      // libvips' own conversion (Little CMS), which rounds to 8 bits.
      const expected = await sharp(await p3())
        .toColourspace("srgb")
        .raw()
        .toBuffer();
      expect(
        largestDifference(
          read.data,
          Float32Array.from(expected, (level) => level / 255),
        ),
      ).toBeLessThan(3 / 255);
      expect(read.notes).toEqual([]);
    });

    test("loses no colour that sRGB does not have", async () => {
      const green = Uint8Array.from({ length: PIXELS * 3 }, (_, i) => [0, 255, 0][i % 3]!);
      // The same profile over other pixels: sharp alone would convert them.
      const raw = { raw: { width: WIDTH, height: HEIGHT, channels: 3 } } as const;
      const icc = (await sharp(await p3()).metadata()).icc!;
      const file = withPngChunks(await sharp(green, raw).png().toBuffer(), [profileChunk(icc)]);
      const read = await readPhotoBytes(file, "green.png");
      expect(read.data[0]).toBeLessThan(-0.1);
      const { samples } = await stored((await encodePhoto(read, "png")).bytes);
      expect([...samples.slice(0, 3)]).toEqual([0, 1, 0]);
    });

    test("that cannot be computed with is kept over pixels as stored, and that is said", async () => {
      const tables = Buffer.from((await sharp(await p3()).metadata()).icc!);
      tables.write("A2B0", tables.indexOf("rTRC"), "latin1");
      const plain = await source().png().toBuffer();
      const read = await readPhotoBytes(withPngChunks(plain, [profileChunk(tables)]), "scan.png");
      expect(read.notes).toEqual([expect.stringContaining("cannot be computed with")]);
      expect(read.carried?.profile).toEqual(tables);
      expect(
        largestDifference(
          read.data,
          Float32Array.from(levels, (level) => level / 255),
        ),
      ).toBeLessThan(1e-6);
    });
  });
});
