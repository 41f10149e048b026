/** `mzsr benchmark` through the real command, with small photos and a model that adds nothing to the bicubic image. */
import { mkdir, readdir, readFile, stat, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createImage, degrade, gaussianKernel, parameterLayout, writeModel, writePng } from "@mzsr/mzsr";
import { EXTERNAL_DATA_NOTE, externalData } from "@mzsr/testing/external-data";
import { mzsr } from "@mzsr/testing/run-command";
import { sharedFolder } from "@mzsr/testing/temporary-folder";
import { beforeAll, describe, expect, it } from "vitest";
import { main } from "../main.js";
import { Terminal } from "../progress/terminal.js";

const SLOW = { timeout: 240_000 };
const folder = sharedFolder();
const at = (...names: string[]) => join(folder, ...names);

beforeAll(async () => {
  await mkdir(at("set5", "hr"), { recursive: true });
  for (const [i, name] of ["bird", "cat"].entries()) await writePng(at("set5", "hr", `${name}.png`), rings(3 + i));
  await writeModel(at("same.safetensors"), model(0));
  await writeModel(at("other.safetensors"), model(0.01));
});

/** @param last weight of the last layer; 0 leaves the bicubic image as it is until it adapts */
function model(last: number) {
  const architecture = { depth: 2, width: 4 };
  const { size, entries } = parameterLayout(architecture);
  const parameters = Float32Array.from({ length: size }, (_, i) => Math.sin(i) / 3);
  parameters.fill(last, entries.find(({ name }) => name === "conv2/kernel")!.offset);
  return { architecture, scale: 2, parameters, innerRates: undefined, metadata: {} };
}

function rings(wave: number) {
  const image = createImage(72, 88, 3);
  image.data.forEach((_, i) => {
    const [y, x] = [Math.floor(i / 3 / 88), Math.floor(i / 3) % 88];
    image.data[i] = 0.5 + 0.3 * Math.sin(Math.hypot(x - 40, y - 30) / wave + (i % 3));
  });
  return image;
}

const benchmark = (...args: string[]) => mzsr(["benchmark", ...args, "--backend", "simd"], { cwd: folder });

/** In this process, which is quicker: for what ends before anything is measured. */
async function refusal(...args: string[]): Promise<string> {
  let [out, notes] = ["", ""];
  const terminal = new Terminal({ write: (text) => (out += text) }, { write: (text) => (notes += text) });
  const code = await main(["benchmark", ...args], terminal);
  expect([code, out]).toEqual([2, ""]);
  return notes;
}
const ALL = ["--models", "same.safetensors", "second=other.safetensors", "--images", "set5/hr", "--kernels", "g2.0"];

it(
  "goes through models, methods and photos, writes table, lines and page, and goes on where it was stopped",
  SLOW,
  async () => {
    const methods = ["--methods", "bicubic,before", "zssr", "mzsr:2", "--zssr-updates", "2"];
    const outputs = ["--csv", "table.csv", "--markdown", "table.md", "--report", "page", "--jobs", "2"];
    const first = await benchmark(...ALL, ...methods, ...outputs);
    expect([first.code, first.notes]).toEqual([0, expect.stringContaining("8 measurements; 2 threads, backend simd")]);
    expect(first.out.split("\n")[0]).toMatch(
      /bicubic +before, same +before, second +ZSSR +MZSR \(2\), same +MZSR \(2\), second$/,
    );
    // The folder is called as the paper's data set is.
    expect(first.out).toMatch(/^g2\.0 direct ×2, set5 .*\n {2}published +28\.73 +– +– +34\.90 +– +–$/m);
    expect(first.out).toContain("ZSSR: at most 2 updates a photo; 0 of 2 photos had learned all before that");
    const lines = (await readFile(at("table.csv"), "utf8")).trim().split("\n");
    // Two photos, six columns.
    expect(lines.length).toBe(1 + 2 * 6);
    expect(lines).toContainEqual(
      expect.stringMatching(/^set5,2,g2\.0,direct,cat\.png,second,mzsr:2,2,\d+\.\d+,0\.\d+,/),
    );
    expect(await readFile(at("table.md"), "utf8")).toMatch(/^\| g2\.0 direct ×2, set5 \|.*\*\*/m);
    await expectPage();

    // A stop in the middle of a line: seven whole ones are left, and one measurement is made again.
    const results = at("page", "results.jsonl");
    await truncate(results, (await stat(results)).size - 5);
    const again = await benchmark(...ALL, ...methods, "--report", "page", "--json");
    expect([again.code, again.notes]).toEqual([
      0,
      expect.stringContaining("8 measurements, 7 known from page; 1 thread"),
    ]);
    const rows = JSON.parse(again.out).rows;
    expect(rows).toMatchObject([{ dataset: "set5", kernel: "g2.0", downsampling: "direct", scale: 2, photos: 2 }]);
    const { psnr_y, photos } = rows[0].methods.find(
      (m: { model: string; method: string }) => m.model === "second" && m.method === "mzsr:2",
    );
    const csv = lines.filter((line) => line.includes(",second,mzsr:2,")).map((line) => Number(line.split(",")[8]));
    expect([photos, psnr_y]).toEqual([2, expect.closeTo((csv[0]! + csv[1]!) / 2, 10)]);
    // Another kernel is another measurement.
    const other = await benchmark(...ALL.slice(0, -1), "g0.2", "--methods", "bicubic", "--report", "page");
    expect(other.notes).toContain("2 measurements; 2 threads");
  },
);

async function expectPage(): Promise<void> {
  const page = await readFile(at("page", "benchmark.html"), "utf8");
  const pictures = [...page.matchAll(/src="([^"]+)"/g)].map((match) => match[1]!);
  // HR and six columns of two photos, each beside the page.
  expect(new Set(pictures).size).toBe(14);
  for (const picture of pictures) expect((await stat(at("page", picture))).size).toBeGreaterThan(100);
  expect((await readdir(at("page"))).sort()).toEqual(["benchmark.html", "crops", "curve.svg", "results.jsonl"]);
  // The second network's curve has a point for each step; ZSSR's begins at its 50th.
  expect(await readFile(at("page", "curve.svg"), "utf8")).toMatch(
    /<polyline[^>]*points="(\S+ ){2}\S+"[\s\S]*MZSR, second/,
  );
}

it("takes LR images that there are, and refuses those of another size", SLOW, async () => {
  await mkdir(at("low"));
  const kernel = gaussianKernel({ lambda1: 2, lambda2: 2, theta: 0 });
  for (const [i, name] of ["bird", "cat"].entries()) {
    await writePng(at("low", `${name}.png`), degrade(rings(3 + i), { kernel, downsampling: "direct", scale: 2 }));
  }
  const only = ["--images", "set5/hr", "--kernels", "g2.0", "--methods", "bicubic", "--json"];
  const [made, given] = [await benchmark(...only), await benchmark(...only, "--lr", "low")];
  const of = (run: { out: string }) => JSON.parse(run.out).rows[0].methods[0].psnr_y;
  // The LR images were made before the photos were rounded to 8 bits.
  expect(of(given)).toBeCloseTo(of(made), 1);
  await writePng(at("low", "cat.png"), createImage(20, 20, 3));
  const wrong = await benchmark(...only, "--lr", "low");
  expect([wrong.code, wrong.notes]).toEqual([
    1,
    expect.stringMatching(
      /1 of 2 measurements failed\n.*cat\.png.*is 20×20, its HR image 88×72; expected 44×36 for ×2/,
    ),
  ]);
  // The other photo's result is told all the same.
  expect(JSON.parse(wrong.out).rows[0].methods[0].photos).toBe(1);
});

it("refuses what cannot be compared before anything is measured", SLOW, async () => {
  const images = ["--images", at("set5", "hr")];
  const model = ["--models", at("same.safetensors")];
  expect(await refusal(...images, "--methods", "rcan")).toMatch(/unknown method 'rcan'; expected bicubic, before/);
  expect(await refusal(...images, "--methods", "bicubic", "--scales", "5")).toMatch(/no scale '5'; expected 2, 3/);
  await mkdir(at("mine"));
  await writeFile(at("mine", "letter.txt"), "dear");
  expect(await refusal(...images, ...model, "--report", at("mine"))).toMatch(/--report .*mine: holds something else/);
  expect(await readdir(at("mine"))).toEqual(["letter.txt"]);
  expect(await refusal(...images, ...model, "--lr", "a", "b")).toMatch(/--lr: 2 for 1 of --images/);
});

describe.skipIf(externalData === undefined)(`the paper's test set ${EXTERNAL_DATA_NOTE}`, () => {
  it("has the bicubic column of the paper's table", SLOW, async () => {
    const set5 = join(externalData!, "set5", "hr");
    const { out } = await benchmark("--preset", "paper", "--images", set5, "--methods", "bicubic", "--json");
    const figures = JSON.parse(out).rows.map((row: { methods: { psnr_y: number; published_psnr_y: number }[] }) => [
      row.methods[0]!.psnr_y.toFixed(2),
      row.methods[0]!.published_psnr_y.toFixed(2),
    ]);
    expect(figures).toEqual(["30.24", "28.73", "28.15", "30.54"].map((psnr) => [psnr, psnr]));
  });
});
