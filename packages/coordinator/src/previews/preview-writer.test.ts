import { readdir, rm } from "node:fs/promises";
import { createImage, type Image, imresize, metaLayout, psnrY, readImage } from "@mzsr/mzsr";
import type { PreviewEntry } from "@mzsr/shared";
import { smallConfiguration } from "@mzsr/testing/small-run";
import { temporaryFolder } from "@mzsr/testing/temporary-folder";
import { describe, expect, it } from "vitest";
import { readPreviews, withEntry } from "./preview-files.js";
import { previewSubject } from "./preview-subject.js";
import { type PreviewComputer, type PreviewProblem, PreviewWriter } from "./preview-writer.js";

const CONFIGURATION = smallConfiguration();

/** A photo that is flat but for one place with structure. */
function photo(): Image {
  const image = createImage(200, 300, 3);
  image.data.fill(0.5);
  for (let y = 40; y < 120; y++) {
    for (let x = 150; x < 250; x++) {
      for (let c = 0; c < 3; c++) image.data[(y * 300 + x) * 3 + c] = (x * y) % 7 < 3 ? 0.9 : 0.2;
    }
  }
  return image;
}

/** Enlarges by interpolation, when the test lets it, in a second of processor time. */
class HeldComputer implements PreviewComputer {
  readonly problems: PreviewProblem[] = [];
  closed = false;
  hurried = false;
  #release: () => void = () => undefined;
  #held: Promise<void> = Promise.resolve();

  hold(): void {
    this.#held = new Promise((resolve) => {
      this.#release = resolve;
    });
  }

  release(): void {
    this.#release();
  }

  hurry(): void {
    this.hurried = true;
  }

  async compute(problem: PreviewProblem) {
    this.problems.push(problem);
    await this.#held;
    const { lr, degradation } = problem;
    const large = imresize(lr, degradation.scale);
    const brighter = { ...large, data: large.data.map((value) => value + problem.model.parameters[0]!) };
    return { before: large, adapted: brighter, seconds: 1 };
  }

  async close(): Promise<void> {
    this.closed = true;
    this.release();
  }
}

async function writerIn(folder: string) {
  const computer = new HeldComputer();
  const clock = { nowMs: 0 };
  const written: number[] = [];
  const problems: string[] = [];
  const writer = new PreviewWriter({
    run: "run",
    folder,
    configuration: CONFIGURATION,
    subjects: async () => [previewSubject("a photo", photo(), 0, CONFIGURATION)],
    computer,
    nowMs: () => clock.nowMs,
    onWritten: (step) => written.push(step),
    onProblem: (reason) => problems.push(reason),
  });
  return { writer, computer, clock, written, problems };
}

function theta(first: number): Float32Array {
  const { model, metaTraining } = CONFIGURATION;
  const values = new Float32Array(metaLayout(model, metaTraining.innerSteps, metaTraining.learnedRates).size);
  values[0] = first;
  return values;
}

function finish(writer: PreviewWriter, step: number, first: number, deadline = new AbortController().signal) {
  return writer.finish(step, theta(first), deadline);
}

describe("PreviewWriter", () => {
  it("writes the pictures of a step, how good they are, and the kernel", async () => {
    const folder = await temporaryFolder();
    const { writer, written } = await writerIn(folder);
    await finish(writer, 4, 0.02);
    expect(written).toEqual([4]);
    const [image] = await readPreviews(folder);
    expect(image).toMatchObject({ name: "a-photo", scale: 2, updates: 10, downsampling: "direct" });
    expect(image!.kernel.values.reduce((sum, value) => sum + value)).toBeCloseTo(1, 4);
    const [{ files, psnr, step }] = image!.entries as [PreviewEntry];
    expect(step).toBe(4);
    const [hr, adapted] = await Promise.all([files.hr, files.adapted].map((file) => readImage(`${folder}/${file}`)));
    expect([hr!.height, hr!.width]).toEqual([128, 128]);
    expect(psnr.adapted).toBeCloseTo(psnrY(hr!, adapted!, 2), 1);
    expect(psnr.before).toBeCloseTo(psnr.bicubic, 1);
  });

  it("makes one preview at a time, of the newest parameters, and leaves most of the time to training", async () => {
    const { writer, computer, clock, written } = await writerIn(await temporaryFolder());
    computer.hold();
    writer.offer(2, theta(0.1));
    writer.offer(4, theta(0.2));
    writer.offer(6, theta(0.3));
    clock.nowMs = 1000;
    computer.release();
    await expect.poll(() => written).toEqual([2]);
    clock.nowMs = 20_000;
    writer.offer(8, theta(0.4));
    expect(computer.problems).toHaveLength(1);
    clock.nowMs = 22_000;
    writer.offer(10, theta(0.5));
    await expect.poll(() => written).toEqual([2, 10]);
    writer.offer(12, theta(0.6));
    expect(await finish(writer, 12, 0.6)).toBe(true);
    expect(written).toEqual([2, 10, 12]);
  });

  it("does a resumed run's steps again in place of the old ones, whose pictures go", async () => {
    const folder = await temporaryFolder();
    const first = await writerIn(folder);
    for (const step of [2, 4, 6]) {
      await finish(first.writer, step, step / 100);
    }
    const resumed = await writerIn(folder);
    resumed.writer.offer(4, theta(0.5));
    await expect.poll(() => resumed.written).toEqual([4]);
    const [image] = await readPreviews(folder);
    expect(image!.entries.map(({ step }) => step)).toEqual([2, 4]);
    const named = new Set(image!.entries.flatMap(({ files }) => Object.values(files)));
    expect(new Set(await readdir(folder))).toEqual(new Set([...named, "previews.json"]));
  });

  it("tells why a preview failed, and makes the next one", async () => {
    const { writer, computer, written, problems } = await writerIn(await temporaryFolder());
    const compute = computer.compute.bind(computer);
    computer.compute = () => Promise.reject(new Error("no memory"));
    expect(await finish(writer, 2, 0.1)).toBe(false);
    computer.compute = compute;
    expect(await finish(writer, 4, 0.1)).toBe(true);
    expect(problems).toEqual(["no memory"]);
    expect(written).toEqual([4]);
  });

  it("makes a finished run's preview when a picture of it is missing, and only then", async () => {
    const folder = await temporaryFolder();
    await finish((await writerIn(folder)).writer, 4, 0.1);
    const again = await writerIn(folder);
    expect(await finish(again.writer, 4, 0.1)).toBe(true);
    expect(again.written).toEqual([]);
    const [image] = await readPreviews(folder);
    await rm(`${folder}/${image!.entries[0]!.files.adapted}`);
    const mending = await writerIn(folder);
    expect(await finish(mending.writer, 4, 0.1)).toBe(true);
    expect(mending.written).toEqual([4]);
  });

  it("gives way to nobody at the end, and is not waited for beyond the deadline", async () => {
    const { writer, computer, written } = await writerIn(await temporaryFolder());
    computer.hold();
    const deadline = new AbortController();
    writer.offer(2, theta(0.1));
    const finished = finish(writer, 4, 0.2, deadline.signal);
    expect(computer.hurried).toBe(true);
    deadline.abort();
    expect(await finished).toBe(false);
    await writer.close();
    expect(written).toEqual([]);
  });

  it("leaves nothing running when it is closed in the middle", async () => {
    const folder = await temporaryFolder();
    const { writer, computer, written } = await writerIn(folder);
    computer.hold();
    writer.offer(2, theta(0.1));
    await writer.close();
    expect(computer.closed).toBe(true);
    expect(written).toEqual([]);
    expect(await readPreviews(folder)).toEqual([]);
  });
});

describe("previewSubject", () => {
  it("takes the part of the photo that has structure, degraded at the run's scale", () => {
    const { hr, lr, bicubic } = previewSubject("x", photo(), 0, smallConfiguration({ degradation: { scale: 3 } }));
    expect([hr.height, lr.height, bicubic.height]).toEqual([126, 42, 126]);
    const mean = hr.data.reduce((sum, value) => sum + value, 0) / hr.data.length;
    const spread = hr.data.reduce((sum, value) => sum + Math.abs(value - mean), 0) / hr.data.length;
    expect(spread).toBeGreaterThan(0.1);
  });
});

describe("withEntry", () => {
  it("thins what is old and keeps the first and the newest", () => {
    const entry = (step: number) => ({ step }) as PreviewEntry;
    let entries: PreviewEntry[] = [];
    for (let step = 1; step <= 500; step++) entries = withEntry(entries, entry(step));
    expect(entries.length).toBeLessThanOrEqual(40);
    expect(entries[0]!.step).toBe(1);
    expect(entries.slice(-5).map(({ step }) => step)).toEqual([496, 497, 498, 499, 500]);
  });
});
