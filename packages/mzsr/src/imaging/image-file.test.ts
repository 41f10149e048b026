import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { deflateSync } from "node:zlib";
import { readFixture } from "@mzsr/testing/fixtures";
import { largestDifference } from "@mzsr/testing/golden-image";
import { sharedFolder, temporaryFolder } from "@mzsr/testing/temporary-folder";
import sharp from "sharp";
import { describe, expect, test } from "vitest";
import { InputError } from "../errors.js";
import { createImage } from "./image.js";
import {
  countPixels,
  encodePng,
  LARGEST_PIXELS,
  listImages,
  readImage,
  readImageBytes,
  writePng,
} from "./image-file.js";
import { pngChunk } from "./png-chunks.js";

const WIDTH = 24;
const HEIGHT = 20;

const folder = sharedFolder();

async function file(name: string, content: Buffer | string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, content);
  return path;
}

/** PNG colour types and their channels. */
const GREY = { type: 0, channels: 1 };
const RGB = { type: 2, channels: 3 };
const GREY_ALPHA = { type: 4, channels: 2 };
const RGBA = { type: 6, channels: 4 };

/** A PNG written here, so that what the reader should find does not depend on the library that reads. */
function png(
  depth: 8 | 16,
  { type, channels }: typeof RGB,
  sample: (i: number) => number,
  width = WIDTH,
  height = HEIGHT,
) {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width);
  header.writeUInt32BE(height, 4);
  header[8] = depth;
  header[9] = type;
  const bytes = depth / 8;
  const rowLength = 1 + width * channels * bytes;
  const rows = Buffer.alloc(height * rowLength);
  for (let i = 0; i < width * height * channels; i++) {
    const at = Math.floor(i / (width * channels)) * rowLength + 1 + (i % (width * channels)) * bytes;
    rows.writeUIntBE(sample(i), at, bytes);
  }
  return pngOf(header, rows);
}

function pngOf(header: Buffer, rows: Buffer): Buffer {
  const signature = Buffer.from("\x89PNG\r\n\x1a\n", "latin1");
  return Buffer.concat([
    signature,
    pngChunk("IHDR", header),
    pngChunk("IDAT", deflateSync(rows)),
    pngChunk("IEND", Buffer.alloc(0)),
  ]);
}

/** A grey TIFF whose directory stands before its pixels, all zero: 32-bit floating-point ones, or bytes. */
function greyTiff(bits: 8 | 32 = 8): Buffer {
  const pixelsAt = 200;
  // [tag, value]: width, height, bits, no compression, black is zero, where, samples a pixel, rows, bytes, floats.
  const entries = [
    [256, WIDTH],
    [257, HEIGHT],
    [258, bits],
    [259, 1],
    [262, 1],
    [273, pixelsAt],
    [277, 1],
    [278, HEIGHT],
    [279, (WIDTH * HEIGHT * bits) / 8],
    [339, bits === 8 ? 1 : 3],
  ] as const;
  const bytes = Buffer.alloc(pixelsAt + (WIDTH * HEIGHT * bits) / 8);
  bytes.write("II*\0\b\0\0\0", "latin1");
  bytes.writeUInt16LE(entries.length, 8);
  for (const [i, [tag, value]] of entries.entries()) {
    bytes.writeUInt16LE(tag, 10 + i * 12);
    bytes.writeUInt16LE(4, 12 + i * 12);
    bytes.writeUInt32LE(1, 14 + i * 12);
    bytes.writeUInt32LE(value, 18 + i * 12);
  }
  return bytes;
}

const level8 = (i: number) => (i * 7) % 256;
const level16 = (i: number) => (i * 4001) % 65536;
/** A smooth picture, which lossy formats keep. */
const smooth = sharp(
  Uint8Array.from({ length: WIDTH * HEIGHT * 3 }, (_, i) => 40 + 4 * (Math.floor(i / 3) % WIDTH) + (i % 3) * 20),
  { raw: { width: WIDTH, height: HEIGHT, channels: 3 } },
);
/** Much data for a few pixels. */
const noise = sharp(
  Uint8Array.from({ length: 64 * 64 * 3 }, (_, i) => ((i * 2654435761) >>> 13) % 256),
  { raw: { width: 64, height: 64, channels: 3 } },
);
const smoothLevels = () =>
  Float32Array.from(
    { length: WIDTH * HEIGHT * 3 },
    (_, i) => (40 + 4 * (Math.floor(i / 3) % WIDTH) + (i % 3) * 20) / 255,
  );

describe("pixels", () => {
  test("of an 8-bit RGB PNG are its levels / 255", async () => {
    const image = await readImage(await file("rgb8.png", png(8, RGB, level8)));
    expect([image.height, image.width, image.channels, image.notes]).toEqual([HEIGHT, WIDTH, 3, []]);
    expect(image.data).toEqual(Float32Array.from({ length: WIDTH * HEIGHT * 3 }, (_, i) => level8(i) / 255));
  });

  test("of a 16-bit RGB PNG keep all their bits", async () => {
    const image = await readImageBytes(png(16, RGB, level16), "rgb16.png");
    expect(image.data).toEqual(Float32Array.from({ length: WIDTH * HEIGHT * 3 }, (_, i) => level16(i) / 65535));
    expect(image.notes.join()).toContain("16 bits");
  });

  test.each([
    [8, level8, 255],
    [16, level16, 65535],
  ] as const)("of a %i-bit grey PNG are repeated, and that is said", async (depth, level, white) => {
    const image = await readImageBytes(png(depth, GREY, level), "grey.png");
    expect(image.data).toEqual(
      Float32Array.from({ length: WIDTH * HEIGHT * 3 }, (_, i) => level(Math.floor(i / 3)) / white),
    );
    expect(image.notes).toContain("grey image used as RGB");
  });

  test.each([
    [8, RGBA, 255],
    [16, RGBA, 65535],
    [8, GREY_ALPHA, 255],
    [16, GREY_ALPHA, 65535],
  ] as const)("half transparent (%i bits, %o) are laid on white, and that is said", async (depth, kind, white) => {
    const half = Math.floor(white / 2);
    const image = await readImageBytes(
      png(depth, kind, (i) => (i % kind.channels === kind.channels - 1 ? half : 0)),
      "a.png",
    );
    const onWhite = new Float32Array(WIDTH * HEIGHT * 3).fill(1 - half / white);
    expect(largestDifference(image.data, onWhite)).toBeLessThan(1e-6);
    expect(image.notes).toContain("transparent parts laid on white");
  });

  test("of an opaque alpha channel are taken without a word", async () => {
    const image = await readImageBytes(
      png(8, RGBA, (i) => (i % 4 === 3 ? 255 : 51)),
      "a.png",
    );
    expect(image.data[0]).toBeCloseTo(0.2, 6);
    expect(image.notes).toEqual([]);
  });

  test.each([
    ["JPEG", () => smooth.clone().jpeg({ quality: 100, chromaSubsampling: "4:4:4" }), 3 / 255],
    ["lossy WebP", () => smooth.clone().webp({ quality: 100 }), 12 / 255],
    ["lossless WebP", () => smooth.clone().webp({ lossless: true }), 0],
    ["TIFF", () => smooth.clone().tiff({ compression: "lzw" }), 0],
    ["palette PNG", () => smooth.clone().png({ palette: true, colours: 256 }), 0],
  ] as const)("of a %s are read", async (_, encode, tolerance) => {
    const image = await readImageBytes(await encode().toBuffer(), "photo");
    expect(largestDifference(image.data, smoothLevels())).toBeLessThanOrEqual(tolerance);
  });

  test("of a 16-bit TIFF keep all their bits", async () => {
    const tiff = sharp(png(16, RGB, level16))
      .toColourspace("rgb16")
      .tiff({ compression: "none" });
    const image = await readImageBytes(await tiff.toBuffer(), "rgb16.tif");
    expect(image.data).toEqual(Float32Array.from({ length: WIDTH * HEIGHT * 3 }, (_, i) => level16(i) / 65535));
  });

  test("stay as stored where a colour profile is embedded, and another than sRGB is said", async () => {
    const plain = await smooth.clone().png().toBuffer();
    const sRgb = await readImageBytes(await sharp(plain).withIccProfile("srgb").png().toBuffer(), "s.png");
    expect(sRgb.notes).toEqual([]);
    expect(largestDifference(sRgb.data, smoothLevels())).toBe(0);
    const p3 = await readImageBytes(await sharp(plain).withIccProfile("p3").png().toBuffer(), "p3.png");
    expect(p3.notes).toEqual(["colour profile other than sRGB not applied"]);
  });

  test("are turned upright as EXIF says, and that is said", async () => {
    const image = await readImageBytes(
      await smooth.clone().withMetadata({ orientation: 6 }).tiff().toBuffer(),
      "p.tif",
    );
    expect([image.height, image.width]).toEqual([WIDTH, HEIGHT]);
    expect(image.notes).toEqual(["turned upright as its EXIF orientation says"]);
  });
});

describe("a defect that costs no pixel", () => {
  const jpeg = () => smooth.clone().jpeg().toBuffer();

  test("is passed over and told of: a JPEG whose scan header gives a wrong end of spectral selection", async () => {
    const wrong = await jpeg();
    // The last three bytes of the start of scan: first and last coefficient, approximation.
    const scan = wrong.indexOf(Buffer.from([0xff, 0xda]));
    const last = scan + 2 + wrong.readUInt16BE(scan + 2) - 2;
    expect(wrong[last]).toBe(63);
    wrong[last] = 62;
    const image = await readImageBytes(wrong, "phone.jpg");
    expect(image.data).toEqual((await readImageBytes(await jpeg(), "whole.jpg")).data);
    expect(image.notes).toEqual([
      "read in spite of a defect of the file (VipsJpeg: Invalid SOS parameters for sequential JPEG)",
    ]);
  });

  test("is passed over in a photograph from the world", async () => {
    const image = await readImageBytes(readFixture("images/sos.jpg"), "sos.jpg");
    expect(image.notes.join()).toContain("Invalid SOS parameters");
  });

  test("is passed over and told of: extraneous bytes before a JPEG's marker", async () => {
    const whole = await jpeg();
    const image = await readImageBytes(
      Buffer.concat([whole.subarray(0, 20), Buffer.from([1, 2, 3, 4]), whole.subarray(20)]),
      "extra.jpg",
    );
    expect(image.data).toEqual((await readImageBytes(whole, "whole.jpg")).data);
    expect(image.notes.join()).toContain("4 extraneous bytes");
  });

  test.each([
    ["JPEG", jpeg],
    ["PNG", () => Promise.resolve(png(8, RGB, level8))],
    ["WebP", () => smooth.clone().webp({ lossless: true }).toBuffer()],
  ] as const)("needs no word: bytes after the end of a %s", async (_, encode) => {
    const whole = await encode();
    const longer = await readImageBytes(Buffer.concat([whole, Buffer.from("bytes of another program")]), "longer");
    expect(longer.data).toEqual((await readImageBytes(whole, "whole")).data);
    expect(longer.notes).toEqual([]);
  });

  test("needs no word: a wrong checksum of a PNG's text", async () => {
    const whole = png(8, RGB, level8);
    const text = pngChunk("tEXt", Buffer.from("Comment\0hello"));
    text[text.length - 1]! ^= 1;
    const image = await readImageBytes(Buffer.concat([whole.subarray(0, 33), text, whole.subarray(33)]), "text.png");
    expect(image.data).toEqual((await readImageBytes(whole, "whole.png")).data);
  });

  test.each(["jpeg", "png"] as const)("is passed over: a %s's colour profile that is none", async (format) => {
    const whole = await smooth.clone().withIccProfile("p3").toFormat(format).toBuffer();
    const wrong = Buffer.from(whole);
    const at = format === "jpeg" ? whole.indexOf("ICC_PROFILE") + 14 : whole.indexOf("iCCP") + 30;
    wrong.fill(0x33, at, at + 40);
    const image = await readImageBytes(wrong, "profile");
    expect(image.data).toEqual((await readImageBytes(whole, "whole")).data);
  });
});

describe("bad input gets one line that names the file", () => {
  async function refusal(path: string): Promise<string> {
    const error = await readImage(path).then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    expect(error).toBeInstanceOf(InputError);
    const { message } = error as InputError;
    expect(message).toContain(path);
    expect(message).not.toContain("\n");
    return message;
  }

  test("a missing file", async () => {
    expect(await refusal(join(folder, "nowhere.png"))).toMatch(
      /no such file or folder; expected a PNG, JPEG, WebP or TIFF/,
    );
  });

  test("a folder", async () => {
    expect(await refusal(folder)).toMatch(/is a folder/);
  });

  test("an empty file", async () => {
    expect(await refusal(await file("empty.png", ""))).toMatch(/file is empty/);
  });

  test("a file that is no image", async () => {
    expect(await refusal(await file("text.png", "I am not a photograph."))).toMatch(/not a readable image/);
  });

  test.each([
    ["PNG", () => png(8, RGB, (i) => (i * i) % 251)],
    ["JPEG", () => smooth.clone().jpeg().toBuffer()],
    ["WebP", () => smooth.clone().webp({ lossless: true, effort: 0 }).toBuffer()],
    ["TIFF", () => smooth.clone().tiff({ compression: "none" }).toBuffer()],
  ] as const)("a %s cut short", async (name, encode) => {
    const whole = await encode();
    const path = await file(`short.${name}`, whole.subarray(0, Math.floor(whole.length * 0.8)));
    expect(await refusal(path)).toMatch(/corrupt image|not a readable image/);
  });

  test("a TIFF cut short in its pixels, with its directory before them", async () => {
    const bytes = greyTiff();
    expect((await readImageBytes(bytes, "whole.tif")).width).toBe(WIDTH);
    expect(await refusal(await file("short.tif", bytes.subarray(0, bytes.length - 100)))).toMatch(/corrupt image/);
  });

  test.each([false, true])("a JPEG cut short that got its end marker back (progressive: %s)", async (progressive) => {
    const whole = await noise.clone().jpeg({ progressive }).toBuffer();
    const cut = Buffer.concat([whole.subarray(0, Math.floor(whole.length * 0.6)), Buffer.from([0xff, 0xd9])]);
    expect(await refusal(await file("mended.jpg", cut))).toMatch(/corrupt image/);
  });

  test("a JPEG with a harmless defect that is cut short", async () => {
    const whole = readFixture("images/sos.jpg");
    for (const part of [0.5, 0.8, 0.99]) {
      const cut = whole.subarray(0, Math.floor(whole.length * part));
      expect(await refusal(await file("cut-sos.jpg", cut))).toMatch(/corrupt image.*premature end/);
    }
  });

  test("a PNG whose pixel data have a wrong checksum", async () => {
    const broken = png(8, RGB, level8);
    broken[broken.length - 13]! ^= 1;
    expect(await refusal(await file("checksum.png", broken))).toMatch(/corrupt image/);
  });

  test("a PNG with wrong bytes in its data", async () => {
    const broken = png(8, RGB, (i) => (i * i) % 251);
    broken.fill(0x55, 60, 120);
    expect(await refusal(await file("broken.png", broken))).toMatch(/corrupt image/);
  });

  test("a tiny image", async () => {
    const path = await file("tiny.png", png(8, RGB, level8, 40, 15));
    expect(await refusal(path)).toMatch(/40×15 pixels is too small; expected at least 16 pixels a side/);
  });

  test("an image of more pixels than are read, before they are decoded", async () => {
    const header = Buffer.alloc(13);
    header.writeUInt32BE(14_000);
    header.writeUInt32BE(14_000, 4);
    header[8] = 8;
    header[9] = 2;
    // 588 MB of zeros in 0.6 MB would be a whole file: this one tells no more than its size.
    const bytes = pngOf(header, Buffer.alloc(10));
    await expect(countPixels(bytes, "bomb.png")).rejects.toThrow(/14000×14000 pixels is too large/);
    expect(await refusal(await file("bomb.png", bytes))).toMatch(
      /14000×14000 pixels is too large; expected at most 64/,
    );
    expect(LARGEST_PIXELS).toBeGreaterThan(24e6);
  });

  test("a huge image, before its pixels are decoded", async () => {
    const header = Buffer.alloc(13);
    header.writeUInt32BE(30_000);
    header.writeUInt32BE(30_000, 4);
    header[8] = 8;
    header[9] = 2;
    const path = await file("huge.png", pngOf(header, Buffer.alloc(10)));
    expect(await refusal(path)).toMatch(/30000×30000 pixels is too large; expected at most 64 megapixels/);
  });

  test.each([
    ["svg", '<svg xmlns="http://www.w3.org/2000/svg" width="64" height="64"><rect width="64" height="64"/></svg>'],
    ["gif", () => smooth.clone().gif().toBuffer()],
  ] as const)("another format (%s)", async (name, content) => {
    const path = await file(`image.${name}`, typeof content === "string" ? content : await content());
    expect(await refusal(path)).toMatch(new RegExp(`is a ${name} image; expected a PNG, JPEG, WebP or TIFF`));
  });

  test("CMYK pixels", async () => {
    const path = await file("cmyk.jpg", await smooth.clone().toColourspace("cmyk").jpeg().toBuffer());
    expect(await refusal(path)).toMatch(/cmyk pixels of type uchar; expected RGB or grey/);
  });

  test("floating-point pixels", async () => {
    expect(await refusal(await file("float.tif", greyTiff(32)))).toMatch(/pixels of type float; expected RGB or grey/);
  });
});

describe("a written PNG", () => {
  const image = createImage(
    20,
    18,
    3,
    Float32Array.from({ length: 20 * 18 * 3 }, (_, i) => (i % 256) / 255),
  );

  test("reads back the same", async () => {
    const path = join(folder, "written.png");
    await writePng(path, image);
    expect((await readImage(path)).data).toEqual(image.data);
  });

  test("is clipped and rounded to 8 bits", async () => {
    const wild = createImage(16, 16, 3, new Float32Array(768).fill(1.5).fill(-0.5, 0, 384));
    const { data } = await readImageBytes(await encodePng(wild), "wild.png");
    expect([data[0], data[767]]).toEqual([0, 1]);
  });

  test("replaces an older file and leaves nothing beside it", async () => {
    const own = await temporaryFolder();
    const path = join(own, "out.png");
    await writeFile(path, "old");
    await writePng(path, image);
    expect(await readdir(own)).toEqual(["out.png"]);
    expect(await readFile(path)).toEqual(await encodePng(image));
  });

  test("needs its folder, and says so", async () => {
    const path = join(folder, "no", "such", "out.png");
    await expect(writePng(path, image)).rejects.toThrow(InputError);
    await expect(writePng(path, image)).rejects.toThrow(/cannot write: no such file or folder; expected a file name/);
  });

  test("that cannot take its place leaves nothing half-written", async () => {
    const own = await temporaryFolder();
    await mkdir(join(own, "out.png"));
    await expect(writePng(join(own, "out.png"), image)).rejects.toThrow(InputError);
    expect(await readdir(own)).toEqual(["out.png"]);
  });
});

describe("the images of a folder", () => {
  test("are listed by name in the order of code units, others left out", async () => {
    const own = await temporaryFolder();
    for (const name of ["b.png", "a.JPG", "B.tiff", "c.webp", "d.jpeg", "e.tif", "notes.txt", "._b.png"]) {
      await writeFile(join(own, name), "");
    }
    expect(await listImages(own)).toEqual(["B.tiff", "a.JPG", "b.png", "c.webp", "d.jpeg", "e.tif"]);
  });

  test("must exist", async () => {
    const own = await temporaryFolder();
    await writeFile(join(own, "notes.txt"), "");
    await expect(listImages(own)).rejects.toThrow(`${own}: folder has no image; expected files named *.png`);
    await expect(listImages(join(own, "nowhere"))).rejects.toThrow(
      /no such file or folder; expected a folder with images/,
    );
    await expect(listImages(join(own, "notes.txt"))).rejects.toThrow(/not a folder/);
    await expect(listImages(own)).rejects.toThrow(InputError);
  });
});
