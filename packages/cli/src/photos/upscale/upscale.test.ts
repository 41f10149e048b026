/** `mzsr upscale` through the real command, with a model that adds nothing to the bicubic image: pixels are known. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, readdir, readFile, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import {
  createImage,
  cropImage,
  degrade,
  encodePhoto,
  gaussianKernel,
  type Image,
  type ImageFormat,
  imresize,
  interpolateInPlace,
  PAPER_KERNELS,
  parameterLayout,
  readImage,
  writeModel,
  writePng,
} from "@mzsr/mzsr";
import { largestDifference } from "@mzsr/testing/golden-image";
import { BIN, mzsr } from "@mzsr/testing/run-command";
import { sharedFolder, temporaryFolder } from "@mzsr/testing/temporary-folder";
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { main } from "../../main.js";
import { Terminal } from "../../progress/terminal.js";
import { Comparing } from "./comparison.js";

const [HEIGHT, WIDTH] = [24, 32];
const SLOW = { timeout: 120_000 };

const shared = sharedFolder();
const model = join(shared, "model.safetensors");
beforeAll(async () => {
  const architecture = { depth: 2, width: 4 };
  const parameters = new Float32Array(parameterLayout(architecture).size);
  await writeModel(model, { architecture, scale: 2, parameters, innerRates: undefined, metadata: {} });
});

let folder: string;
beforeEach(async () => {
  folder = await temporaryFolder();
});

/** A slope of its own for each name: one picture is not taken for another. */
function picture(slope: number): Image {
  const data = Float32Array.from({ length: HEIGHT * WIDTH * 3 }, (_, i) => {
    const pixel = Math.floor(i / 3);
    return 0.2 + (slope * (pixel % WIDTH)) / WIDTH + 0.1 * (i % 3);
  });
  return createImage(HEIGHT, WIDTH, 3, data);
}

async function put(name: string, slope: number, format: ImageFormat = "png"): Promise<string> {
  const path = join(folder, name);
  await mkdir(join(path, ".."), { recursive: true });
  await writeFile(path, (await encodePhoto(picture(slope), format, { quality: 100 })).bytes);
  return path;
}

/** Whether a file is the photo of this slope, enlarged. */
async function expectEnlarged(path: string, slope: number, tolerance = 2.5 / 255): Promise<void> {
  const image = await readImage(path);
  expect([image.width, image.height]).toEqual([2 * WIDTH, 2 * HEIGHT]);
  expect(largestDifference(image.data, imresize(picture(slope), 2).data)).toBeLessThan(tolerance);
}

const GIVEN = ["--model", model, "--kernel", "g2.0", "--updates", "0", "--backend", "simd"];
const OPTIONS_WITH_WORDS = [
  "--format",
  "--quality",
  "--jobs",
  "--threads",
  "--updates",
  "--noise",
  "--back-projection",
  "--kernel",
  "--method",
  "--scale",
];

/** The command in this process, as if it were called in the folder. */
const upscale = (...args: string[]) => command(args, GIVEN);

async function command(args: readonly string[], given: readonly string[]) {
  let [out, notes] = ["", ""];
  const terminal = new Terminal({ write: (text) => (out += text) }, { write: (text) => (notes += text) });
  const isName = (i: number) => !args[i]!.startsWith("-") && !OPTIONS_WITH_WORDS.includes(args[i - 1]!);
  const placed = args.map((arg, i) => (isName(i) ? `${folder}/${arg}` : arg));
  const code = await main(["upscale", ...placed, ...given], terminal);
  return { code, out: out.replaceAll(`${folder}/`, ""), notes: notes.replaceAll(`${folder}/`, "") };
}

/** The command in a process of its own. */
const upscaleApart = (...args: string[]) => mzsr(["upscale", ...args, ...GIVEN], { cwd: folder });

describe("the result", () => {
  it("of one photo lies beside it as photo-x2.png, and none is replaced without --force", SLOW, async () => {
    await put("cat.photo.jpg", 0.5, "jpeg");
    expect(await upscale("cat.photo.jpg")).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^cat\.photo-x2\.png: 64×48 in /),
    });
    await expectEnlarged(join(folder, "cat.photo-x2.png"), 0.5, 0.03);
    await writeFile(join(folder, "cat.photo-x2.png"), "mine");
    const again = await upscale("cat.photo.jpg");
    expect([again.code, again.notes]).toEqual([
      2,
      expect.stringMatching(/cat\.photo-x2\.png: exists already.*--force/),
    ]);
    expect(await readFile(join(folder, "cat.photo-x2.png"), "utf8")).toBe("mine");
    expect((await upscale("cat.photo.jpg", "--force")).code).toBe(0);
    await expectEnlarged(join(folder, "cat.photo-x2.png"), 0.5, 0.03);
  });

  it("has the format that its name says", SLOW, async () => {
    await put("cat.png", 0.4);
    for (const name of ["cat.jpeg", "cat.webp", "cat.tif"]) {
      expect(await upscale("cat.png", "-o", name, "--quality", "98")).toMatchObject({ code: 0 });
      await expectEnlarged(join(folder, name), 0.4, 0.04);
    }
    expect((await upscale("cat.png", "-o", "cat.avif")).code).toBe(0);
    expect((await readFile(join(folder, "cat.avif"))).subarray(4, 12).toString()).toBe("ftypavif");
    const small = await upscale("cat.png", "-o", "small.jpg", "--quality", "20");
    expect(small.code).toBe(0);
    expect((await stat(join(folder, "small.jpg"))).size).toBeLessThan((await stat(join(folder, "cat.jpeg"))).size);
  });

  it("goes into a folder that is there, or that a name's last slash asks for", SLOW, async () => {
    await put("cat.png", 0.3);
    await mkdir(join(folder, "there"));
    for (const place of ["there", "made/below/"]) {
      expect(await upscale("cat.png", "-o", place, "--format", "webp")).toMatchObject({ code: 0 });
      await expectEnlarged(join(folder, place, "cat-x2.webp"), 0.3, 0.04);
    }
  });

  it("is never an input, by whatever name", SLOW, async () => {
    await put("cat.png", 0.3);
    const before = await readFile(join(folder, "cat.png"));
    await symlink("cat.png", join(folder, "cat-x2.png"));
    const { code, notes } = await upscale("cat.png", "--force");
    expect([code, notes]).toEqual([2, expect.stringMatching(/same file as the input/)]);
    expect((await readFile(join(folder, "cat.png"))).equals(before)).toBe(true);
  });

  it("too large for its format is refused before anything is computed", SLOW, async () => {
    await writePng(join(folder, "long.png"), createImage(16, 8200, 3));
    const { code, notes } = await upscale("long.png", "-o", "long.webp");
    expect([code, notes]).toEqual([
      2,
      expect.stringMatching(/long\.png: the result would have 16400 pixels a side; WebP holds at most 16383/),
    ]);
  });
});

describe("standard input and output", () => {
  async function piped(bytes: Uint8Array, ...args: string[]) {
    const child = spawn(process.execPath, [BIN, "upscale", ...args, ...GIVEN], {
      cwd: folder,
      stdio: ["pipe", "pipe", "pipe"],
    });
    child.stdin.on("error", () => undefined).end(bytes);
    const out: Buffer[] = [];
    let notes = "";
    child.stdout.on("data", (chunk: Buffer) => out.push(chunk));
    child.stderr.on("data", (chunk) => (notes += chunk));
    const [code] = (await once(child, "close")) as [number | null];
    return { code, out: Buffer.concat(out), notes };
  }

  it("carry a photo in and its enlargement out, and nothing else", SLOW, async () => {
    const photo = await readFile(await put("cat.png", 0.6));
    const { code, out, notes } = await piped(photo, "-", "-o", "-");
    expect([code, notes]).toEqual([0, expect.stringContaining("standard output: 64×48 in")]);
    await writeFile(join(folder, "out.png"), out);
    await expectEnlarged(join(folder, "out.png"), 0.6);
    const jpeg = await piped(photo, "-", "--format", "jpeg");
    expect([jpeg.code, jpeg.out.subarray(0, 3).toString("hex")]).toEqual([0, "ffd8ff"]);
  });

  it("refuse what is no photo, and JSON in the photo's stream", SLOW, async () => {
    const refused = async (bytes: string, ...args: string[]) => {
      const { code, out, notes } = await piped(Buffer.from(bytes), ...args);
      expect([code, out.length]).toEqual([2, 0]);
      return notes;
    };
    expect(await refused("", "-")).toMatch(/standard input: is empty/);
    const json = await upscale("-", "-o", "-", "--json");
    expect([json.code, json.notes]).toEqual([2, expect.stringMatching(/-o -: --json writes to standard output too/)]);
    const several = await upscale("a.png", "b.png", "-o", "-");
    expect([several.code, several.notes]).toEqual([2, expect.stringMatching(/-o -: several results/)]);
  });
});

describe("a folder", () => {
  it("is enlarged photo by photo, with those that fail listed at the end", SLOW, async () => {
    await put("photos/a.png", 0.1);
    await put("photos/b.jpg", 0.2, "jpeg");
    await put("photos/b.png", 0.3);
    await writeFile(join(folder, "photos/bad.png"), "no photo");
    await writeFile(join(folder, "photos/notes.txt"), "no photo");
    const { code, out, notes } = await upscale("photos");
    expect(code).toBe(1);
    expect(
      out
        .split("\n")
        .filter(Boolean)
        .map((line) => line.split(":")[0]),
    ).toEqual(["photos/a-x2.png", "photos/b-x2.png"]);
    expect(notes.slice(notes.indexOf("mzsr: "))).toBe(
      "mzsr: 2 of 4 photos failed; the others were enlarged\n" +
        "  photos/b.png: its result would have the name of that of photos/b.jpg\n" +
        "  photos/bad.png: not a readable image (Input buffer contains unsupported image format); expected a PNG, JPEG, WebP or TIFF image\n",
    );
    await expectEnlarged(join(folder, "photos/a-x2.png"), 0.1);
    await expectEnlarged(join(folder, "photos/b-x2.png"), 0.2, 0.03);
    // A second call takes no result for a photo, and replaces none.
    const again = await upscale("photos");
    expect([again.code, again.out]).toEqual([1, ""]);
    expect(again.notes).toMatch(/results of earlier calls left out \(2\)/);
    expect(again.notes).toMatch(/photos\/a\.png: exists already|a-x2\.png: exists already/);
    expect((await readdir(join(folder, "photos"))).sort()).toEqual([
      "a-x2.png",
      "a.png",
      "b-x2.png",
      "b.jpg",
      "b.png",
      "bad.png",
      "notes.txt",
    ]);
  });

  it("gives its folders' photos with --recursive, results in a like tree", SLOW, async () => {
    await put("photos/a.png", 0.1);
    await put("photos/sea/a.png", 0.2);
    await put("photos/sea/deep/c.png", 0.3);
    await put("photos/.hidden/d.png", 0.4);
    const told = await upscale("photos", "--recursive", "-o", "photos/large", "--json");
    expect(told.code).toBe(0);
    const lines = told.out
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(lines.map(({ output }) => output)).toEqual(
      ["a-x2.png", "sea/a-x2.png", "sea/deep/c-x2.png"].map((name) => join("photos/large", name)),
    );
    expect(lines[1]).toMatchObject({
      ...{ input: "photos/sea/a.png", width: 64, height: 48, updates: 0, losses: [], backend: "simd", method: "mzsr" },
      kernel: { name: "g2.0", downsampling: "direct" },
      timings: {
        read: expect.any(Number),
        adaptation: expect.any(Number),
        enlargement: expect.any(Number),
        write: expect.any(Number),
      },
      bytes: (await stat(join(folder, "photos/large/sea/a-x2.png"))).size,
    });
    await expectEnlarged(join(folder, "photos/large/sea/deep/c-x2.png"), 0.3);
    // Results in the folder itself are no photos of the next call.
    const again = await upscale("photos", "--recursive", "-o", "photos/large", "--force", "--json");
    expect([again.code, again.out.trim().split("\n").length]).toEqual([0, 3]);
  });

  it("of photos goes through several threads with the same pixels", SLOW, async () => {
    for (const [i, name] of ["a", "b", "c", "d"].entries()) await put(`photos/${name}.png`, 0.1 * (i + 1));
    await writeFile(join(folder, "photos/bad.png"), "no photo");
    expect((await upscale("photos", "-o", "one")).code).toBe(1);
    const { code, out, notes } = await upscaleApart("photos", "-o", "two", "--jobs", "2", "--json");
    expect([code, notes]).toEqual([
      1,
      expect.stringMatching(/1 of 5 photos failed; the others were enlarged\n {2}photos\/bad\.png: not a readable/),
    ]);
    const lines = out
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(lines.map(({ input }) => input).sort()).toEqual(
      ["a", "b", "bad", "c", "d"].map((name) => `photos/${name}.png`),
    );
    expect(lines.find(({ input }) => input === "photos/bad.png")).toEqual({
      input: "photos/bad.png",
      error: expect.stringMatching(/^not a readable/),
    });
    for (const name of ["a", "b", "c", "d"]) {
      const [one, two] = await Promise.all(
        ["one", "two"].map((place) => readFile(join(folder, place, `${name}-x2.png`))),
      );
      expect(one!.equals(two!)).toBe(true);
    }
  });
});

it("patterns, files and folders are taken together, each photo once", SLOW, async () => {
  await put("a/one.png", 0.1);
  await put("a/deep/two.png", 0.2);
  await put("[3].png", 0.3);
  const { code, out } = await upscale("a/**/*.png", "[3].png", "a", "a/one.png", "-o", "out");
  expect([
    code,
    out
      .trim()
      .split("\n")
      .map((line) => line.split(":")[0]),
  ]).toEqual([0, ["out/deep/two-x2.png", "out/one-x2.png", "out/[3]-x2.png"]]);
  await expectEnlarged(join(folder, "out/[3]-x2.png"), 0.3);
  const none = await upscale("b/*.png");
  expect([none.code, none.notes]).toEqual([2, expect.stringMatching(/b\/\*\.png: no image matches/)]);
});

it("--quiet tells nothing but what fails", SLOW, async () => {
  await put("a.png", 0.1);
  expect(await upscale("a.png", "--quiet")).toEqual({ code: 0, out: "", notes: "" });
  const failed = await upscale("a.png", "b.png", "--quiet", "--force");
  expect(failed).toEqual({
    code: 1,
    out: "",
    notes:
      "mzsr: 1 of 2 photos failed; the others were enlarged\n  b.png: no such file or folder; expected a PNG, JPEG, WebP or TIFF image\n",
  });
});

describe("--compare", () => {
  it("writes bicubic interpolation and the result side by side, each where the other's pixels lie", SLOW, async () => {
    await put("cat.png", 0.5);
    expect((await upscale("cat.png", "-o", "large.png", "--compare", "both.png")).code).toBe(0);
    const [both, large] = await Promise.all(["both.png", "large.png"].map((name) => readImage(join(folder, name))));
    expect([both!.width, both!.height]).toEqual([4 * WIDTH, 2 * HEIGHT]);
    const right = cropImage(both!, 0, 2 * WIDTH, 2 * HEIGHT, 2 * WIDTH);
    expect(largestDifference(right.data, large!.data)).toBe(0);
    const left = cropImage(both!, 0, 0, 2 * HEIGHT, 2 * WIDTH);
    const expected = interpolateInPlace(picture(0.5), 2, "direct");
    expect(largestDifference(left.data, expected.data)).toBeLessThan(2.5 / 255);
  });

  it("of a large photo shows the part with the most structure", () => {
    const photo = createImage(40, 3000, 3);
    // A checkerboard far to the right.
    for (let i = 0; i < 40 * 3000; i++)
      if (i % 3000 > 2000 && i % 3000 < 2030) photo.data.fill((i + Math.floor(i / 3000)) % 2, 3 * i, 3 * i + 3);
    const result = createImage(80, 6000, 3, imresize(photo, 2).data);
    const comparing = new Comparing(photo, { scale: 2, downsampling: "bicubic" });
    for (const top of [0, 30]) comparing.add(top, cropImage(result, top, 0, top === 0 ? 30 : 50, 6000));
    const { picture: both, part } = comparing.compared();
    expect([both.width, both.height, part]).toEqual([
      160,
      80,
      expect.stringMatching(/^80×80 pixels of the result, from \(40\d\d, 0\)$/),
    ]);
    const halves = [0, 80].map((x) => cropImage(both, 0, x, 80, 80).data);
    expect(largestDifference(halves[0]!, halves[1]!)).toBeLessThan(1e-6);
  });

  it("is of one photo, and no file that is needed", SLOW, async () => {
    await put("a.png", 0.1);
    await put("b.png", 0.2);
    const several = await upscale("a.png", "b.png", "--compare", "both.png");
    expect([several.code, several.notes]).toEqual([
      2,
      expect.stringMatching(/--compare both\.png: shows one photo, and here are several/),
    ]);
    expect((await upscale("a.png", "--compare", "a.png", "--force")).notes).toMatch(
      /--compare a\.png: is the same file as the input/,
    );
    expect((await upscale("a.png", "-o", "x.png", "--compare", "x.png")).notes).toMatch(/is where the result goes/);
    expect((await upscale("a.png", "--compare", "x.tif")).notes).toMatch(/ends with \.png or \.jpg/);
  });
});

it("threads share the work of a photo, and their number changes nothing in the result", {
  timeout: 300_000,
}, async () => {
  const side = 514;
  const data = Float32Array.from(
    { length: side * side * 3 },
    (_, i) => 0.5 + 0.4 * Math.sin(i / 7) * Math.cos(i / 9000),
  );
  await writePng(join(folder, "large.png"), createImage(side, side, 3, data));
  const parameters = Float32Array.from(
    { length: parameterLayout({ depth: 2, width: 4 }).size },
    (_, i) => Math.sin(i) / 9,
  );
  const path = join(folder, "model.safetensors");
  await writeModel(path, {
    architecture: { depth: 2, width: 4 },
    scale: 2,
    parameters,
    innerRates: undefined,
    metadata: {},
  });
  const outcome = async (threads: string) => {
    const given = ["--model", path, "--kernel", "g2.0", "--updates", "1", "--backend", "simd", "--force", "--json"];
    const { out } = await mzsr(["upscale", "large.png", "--threads", threads, ...given], { cwd: folder });
    const { losses, loss_after } = JSON.parse(out);
    return { losses, loss_after, file: await readFile(join(folder, "large-x2.png")) };
  };
  const alone = await outcome("1");
  expect(alone.losses.length).toBe(1);
  expect(await outcome("3")).toEqual(alone);
});

describe("a kernel that is not named", () => {
  /** Round blur of 2 pixels' variance, of a picture with edges. */
  async function putBlurred(name: string): Promise<void> {
    const side = 240;
    const data = Float32Array.from({ length: side * side * 3 }, (_, i) => {
      const [x, y] = [Math.floor(i / 3) % side, Math.floor(i / 3 / side)];
      return 0.3 + 0.4 * ((Math.floor(x / 11) + Math.floor(y / 13) + Math.floor((x + 2 * y) / 29)) % 2);
    });
    const kernel = gaussianKernel(PAPER_KERNELS["g2.0"]);
    const low = degrade(createImage(side, side, 3, data), { kernel, scale: 2, downsampling: "direct" });
    await writePng(join(folder, name), low);
  }
  const given = ["--model", model, "--updates", "1", "--backend", "simd", "--force"];

  it("is estimated, and told in words and numbers with how sure it is", SLOW, async () => {
    await putBlurred("edges.png");
    const { out, notes } = await command(["edges.png"], given);
    expect(notes).toMatch(
      /edges\.png: about \d\.\d px of blur.*; direct; (un)?sure.* px.*\(gauss:[\d.]+,[\d.]+,-?[\d.]+\)/,
    );
    expect(out).toMatch(/1 step, loss/);
    const { kernel } = JSON.parse((await command(["edges.png", "--json"], given)).out);
    expect(kernel).toMatchObject({ name: "auto", downsampling: "direct" });
    expect(notes).toContain(`${kernel.estimate.words} (${kernel.estimate.kernel})`);
    expect(kernel.estimate.uncertainty).toBeGreaterThan(0);
    expect((await command(["edges.png", "--quiet"], given)).notes).toBe("");
  });

  it("is used: the same as naming it", SLOW, async () => {
    await putBlurred("edges.png");
    const losses = async (...args: string[]) =>
      JSON.parse((await command(["edges.png", "--json", ...args], given)).out);
    const auto = await losses();
    const named = await losses("--kernel", auto.kernel.estimate.kernel);
    const other = await losses("--kernel", "gauss:0.2,0.2,0");
    // The name is rounded.
    expect(auto.losses[0] / named.losses[0]).toBeCloseTo(1, 2);
    expect(Math.abs(other.losses[0] / auto.losses[0] - 1)).toBeGreaterThan(0.02);
  });

  it("differs from photo to photo, also in threads", SLOW, async () => {
    await putBlurred("blurred.png");
    await writePng(join(folder, "flat.png"), createImage(80, 80, 3));
    const { out } = await mzsr(["upscale", "blurred.png", "flat.png", "--jobs", "2", "--json", ...given], {
      cwd: folder,
    });
    const kernels = out
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line).kernel.estimate as { kernel: string; certain: boolean });
    expect(new Set(kernels.map(({ kernel }) => kernel)).size).toBe(2);
    expect(kernels.map(({ certain }) => certain)).toContain(false);
  });
});

describe("what adaptation did", () => {
  /** A model whose first step is as long as told. */
  async function modelOfRate(rate: number): Promise<void> {
    const architecture = { depth: 2, width: 4 };
    const { size, entries } = parameterLayout(architecture);
    const parameters = Float32Array.from({ length: size }, (_, i) => Math.sin(i) / 3);
    parameters.fill(0, entries.find(({ name }) => name === "conv2/kernel")!.offset);
    const innerRates = [new Float32Array(entries.length).fill(Math.log(rate))];
    await writeModel(join(folder, "rated.safetensors"), {
      architecture,
      scale: 2,
      parameters,
      innerRates,
      metadata: {},
    });
  }
  /** Squares of five pixels. */
  const level = (pixel: number) => 0.3 + 0.4 * ((Math.floor((pixel % 40) / 5) + Math.floor(pixel / 200)) % 2);
  const adapted = async (...args: string[]) => {
    const data = Float32Array.from({ length: 40 * 40 * 3 }, (_, i) => level(Math.floor(i / 3)));
    await writePng(join(folder, "board.png"), createImage(40, 40, 3, data));
    const given = ["--model", join(folder, "rated.safetensors"), "--kernel", "g2.0", "--backend", "simd", "--force"];
    return command(["board.png", ...args], given);
  };

  it("is told as the loss before and after, with a warning where that grew", SLOW, async () => {
    await modelOfRate(0.3);
    const well = await adapted("--updates", "3");
    expect(well.out).toMatch(/\(3 steps, loss 0\.\d+ → 0\.\d+\)$/m);
    const [, before, after] = /loss (\S+) → (\S+)\)/.exec(well.out)!.map(Number);
    expect(after).toBeLessThan(before!);
    expect(well.notes).not.toMatch(/worse/);
    await modelOfRate(30);
    const badly = await adapted("--updates", "1", "--json");
    const { losses, loss_after, notes } = JSON.parse(badly.out);
    expect(loss_after).toBeGreaterThan(losses[0]);
    expect(notes).toEqual([
      expect.stringMatching(
        /^adapting made the network worse on the photo's own degradation .*--updates 0 or another --kernel/,
      ),
    ]);
    expect(badly.notes).toContain(notes[0]);
    expect(JSON.parse((await adapted("--updates", "0", "--json")).out)).toMatchObject({
      losses: [],
      loss_after: losses[0],
      notes: [],
    });
  });

  it("depends on --noise, the same each time, and --back-projection changes the result alone", SLOW, async () => {
    await modelOfRate(1e-2);
    const of = async (...args: string[]) => {
      const { losses } = JSON.parse((await adapted("--updates", "1", "--json", ...args)).out);
      return { loss: losses[0], image: await readImage(join(folder, "board-x2.png")) };
    };
    const plain = await of();
    const noisy = await of("--noise", "0.05");
    expect(noisy.loss).not.toBe(plain.loss);
    expect((await of("--noise", "0.05")).loss).toBe(noisy.loss);
    const projected = await of("--back-projection", "4");
    expect(projected.loss).toBe(plain.loss);
    const lack = (image: Image) => {
      const low = degrade(image, { kernel: gaussianKernel(PAPER_KERNELS["g2.0"]), scale: 2, downsampling: "direct" });
      return low.data.reduce((sum, value, i) => sum + Math.abs(value - level(Math.floor(i / 3))), 0);
    };
    expect(lack(projected.image)).toBeLessThan(0.8 * lack(plain.image));
  });
});

describe("--method", () => {
  const without = (...args: string[]) => command(args, ["--kernel", "g2.0", "--backend", "simd"]);

  it("bicubic interpolates, by --scale and without a model", SLOW, async () => {
    await put("cat.png", 0.5);
    const { code, out } = await without("cat.png", "--method", "bicubic", "--scale", "3", "--json");
    expect([code, JSON.parse(out)]).toMatchObject([
      0,
      {
        ...{ output: "cat-x3.png", method: "bicubic", width: 3 * WIDTH },
        ...{ updates: 0, losses: [], loss_after: null },
      },
    ]);
    const result = await readImage(join(folder, "cat-x3.png"));
    expect(largestDifference(result.data, interpolateInPlace(picture(0.5), 3, "direct").data)).toBeLessThan(2.5 / 255);
    expect((await without("cat.png", "--method", "bicubic")).out).toMatch(/^cat-x2\.png: 64×48 in .* \(bicubic\)$/m);
    const steps = await without("cat.png", "--method", "bicubic", "--updates", "3");
    expect([steps.code, steps.notes]).toEqual([
      2,
      expect.stringMatching(/takes no gradient steps; expected no --updates/),
    ]);
  });

  it("zssr trains a network on the photo alone, of the model's architecture where one is named", SLOW, async () => {
    await put("cat.png", 0.5);
    const given = ["--kernel", "g2.0", "--backend", "simd", "--model", model, "--force"];
    const json = await command(["cat.png", "--method", "zssr", "--updates", "3", "--json"], given);
    const report = JSON.parse(json.out);
    expect(report).toMatchObject({
      method: "zssr",
      updates: 3,
      losses: [expect.any(Number), expect.any(Number), expect.any(Number)],
    });
    expect(report.loss_after).toBeGreaterThan(0);
    const text = await command(["cat.png", "--method", "zssr", "--updates", "1"], given);
    expect(text.out).toMatch(/\(1 step of ZSSR, loss 0\.\d+\)$/m);
  });

  it("mzsr takes the model that comes along where none is named; a model's scale is its own", SLOW, async () => {
    await put("cat.png", 0.5);
    const shipped = await without("cat.png", "--updates", "0");
    expect([shipped.code, shipped.notes]).toEqual([0, expect.stringMatching(/^model @mzsr\/model-x2$/m)]);
    expect((await readImage(join(folder, "cat-x2.png"))).width).toBe(2 * WIDTH);
    const other = await upscale("cat.png", "--scale", "3");
    expect([other.code, other.notes]).toEqual([2, expect.stringMatching(/enlarges 2 times; expected --scale 2/)]);
  });
});

it("several results need a folder", SLOW, async () => {
  await put("a.png", 0.1);
  await put("b.png", 0.2);
  for (const place of ["a.png", "new.png"]) {
    const { code, notes } = await upscale("a.png", "b.png", "-o", place);
    expect([code, notes]).toEqual([2, expect.stringMatching(/expected a folder for the results of several photos/)]);
  }
});
