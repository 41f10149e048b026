import { mkdir, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { createImage, writePng } from "@mzsr/mzsr";

/** Writes two small photographs full of structure into a new folder. */
export async function makePhotos(folder: string): Promise<void> {
  await mkdir(folder);
  for (const name of ["one.png", "two.png"]) {
    const image = createImage(96, 120, 3);
    const shift = name.length + name.charCodeAt(0);
    for (let i = 0; i < image.data.length; i++)
      image.data[i] = 0.5 + 0.4 * Math.sin((i * shift) / 7) * Math.cos(i / 361);
    await writePng(join(folder, name), image);
  }
}

/** Arguments of a run so small that a step takes milliseconds. */
export function smallRun(photos: string, pretraining: number, metaTraining: number): string[] {
  const keys = {
    "model.depth": 2,
    "model.width": 4,
    "patches.stride": 16,
    "pretraining.batch": 4,
    "pretraining.tasks": 2,
    "pretraining.patchSize": 16,
    "metaTraining.tasks": 2,
    "metaTraining.support": 2,
    "metaTraining.query": 2,
    "metaTraining.patchSize": 16,
    "metaTraining.innerSteps": 1,
    "metaTraining.learnedRates": true,
    "degradation.lambdaMax": 3,
  };
  const set = Object.entries(keys).flatMap(([key, value]) => ["--set", `${key}=${value}`]);
  return [
    ...set,
    "--data",
    photos,
    "--backend",
    "simd",
    "--pretrain-steps",
    String(pretraining),
    "--steps",
    String(metaTraining),
  ];
}

/** The parameters' hash after each step of a run. */
export async function hashesOf(run: string): Promise<string[]> {
  const text = await readFile(join(run, "metrics.jsonl"), "utf8").catch(() => "");
  const lines = text.split("\n").filter((line) => line.endsWith("}"));
  return lines.map((line) => (JSON.parse(line) as { theta_sha256: string }).theta_sha256);
}

/** Running processes whose command line mentions `text`, as [pid, command line] (Linux). */
export async function processesWith(text: string): Promise<[pid: number, command: string][]> {
  const found: [number, string][] = [];
  for (const pid of (await readdir("/proc")).filter((name) => /^\d+$/.test(name))) {
    const command = (await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "")).replaceAll("\0", " ");
    if (command.includes(text) && Number(pid) !== process.pid) found.push([Number(pid), command]);
  }
  return found;
}
