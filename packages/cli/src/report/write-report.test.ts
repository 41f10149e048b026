import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Model, parameterLayout, readImage } from "@mzsr/mzsr";
import { configurationSchema } from "@mzsr/shared";
import { makePhotos } from "@mzsr/testing/small-cluster-run";
import { sharedFolder } from "@mzsr/testing/temporary-folder";
import { beforeAll, expect, it } from "vitest";
import { chooseKernel } from "../photos/kernel-choice.js";
import { useBackend } from "../photos/use-backend.js";
import { writeReport } from "./write-report.js";

const folder = sharedFolder();
beforeAll(async () => {
  await makePhotos(join(folder, "photos"));
});

function model(): Model {
  const architecture = { depth: 2, width: 4 };
  const parameters = Float32Array.from({ length: parameterLayout(architecture).size }, (_, i) => Math.sin(i) / 20);
  return { architecture, scale: 2, parameters, innerRates: undefined, metadata: {} };
}

it("shows every photo in every method, says the same in results.json, and replaces a report and nothing else", {
  timeout: 120_000,
}, async () => {
  const report = join(folder, "report");
  await mkdir(report);
  for (const name of ["gone-hr.png", "notes.md"]) await writeFile(join(report, name), "of before");
  const step = { supportLosses: [0.1], queryLosses: [0.2, 0.1], seconds: 1 };
  const { results, table, page } = await writeReport(report, {
    run: 'a <run> & "more"',
    model: model(),
    configuration: configurationSchema.parse({}),
    choice: await chooseKernel("gani"),
    photos: ["one", "two"].map((name) => ({ name, path: join(folder, "photos", `${name}.png`) })),
    backend: await useBackend({ backend: "simd" }),
    losses: [
      { ...step, stage: "pretraining", stageStep: 1, queryLosses: [] },
      { ...step, stage: "metaTraining", stageStep: 1 },
      { ...step, stage: "metaTraining", stageStep: 2 },
    ],
    trainingSeconds: 100,
  });

  expect(JSON.parse(await readFile(join(report, "results.json"), "utf8"))).toEqual(results);
  expect(Object.keys(results)).toEqual(["images", "kernel", "psnr_y", "ssim_y", "seconds"]);
  expect(results.kernel).toBe("gani");
  expect(results.seconds).toBeGreaterThan(100);
  for (const scores of [results.psnr_y, results.ssim_y, results.images[0]!.psnr_y, results.images[1]!.ssim_y]) {
    expect(Object.keys(scores).sort()).toEqual(["0", "1", "10", "bicubic"]);
    for (const value of Object.values(scores)) expect(value).toBeGreaterThan(0);
  }
  expect(table.at(-1)).toContain(`${results.psnr_y.bicubic!.toFixed(2)} / ${results.ssim_y.bicubic!.toFixed(4)}`);

  const slugs = ["lr", "bicubic", "before-adaptation", "after-1", "after-10", "hr"];
  const pictures = ["one", "two"].flatMap((name) =>
    slugs.flatMap((slug) => [`${name}-${slug}.png`, `${name}-${slug}-detail.png`]),
  );
  expect((await readdir(report)).sort()).toEqual([...pictures, "notes.md", "report.html", "results.json"].sort());
  expect(await readImage(join(report, "one-after-10.png"))).toMatchObject({ width: 120, height: 96 });
  expect(await readImage(join(report, "one-lr.png"))).toMatchObject({ width: 60, height: 48 });

  const html = await readFile(page, "utf8");
  // Self-contained: the only addresses are those of its own pictures.
  expect(
    [...html.matchAll(/(?:src|href)="(?!data:)([^"]+)"/g)].every(([, address]) => pictures.includes(address!)),
  ).toBe(true);
  expect(html).toContain("a &lt;run&gt; &amp; &quot;more&quot;");
  expect(html.match(/<figure class="panel">/g)).toHaveLength(12);
  expect(html.match(/<polyline/g)).toHaveLength(3);
  expect(html).toContain(`${results.images[0]!.psnr_y[10]!.toFixed(2)} dB`);
});
