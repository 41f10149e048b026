/** What a run writes, read by the programs that people read it with: TensorBoard's own loader, pandas, ONNX Runtime. */
import { spawnSync } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { hasMzsr } from "@mzsr/testing/mzsr-process";
import { pythonReaders } from "@mzsr/testing/python-readers";
import { mzsr } from "@mzsr/testing/run-command";
import { makePhotos, smallRun } from "@mzsr/testing/small-cluster-run";
import { sharedFolder } from "@mzsr/testing/temporary-folder";
import { beforeAll, describe, expect, test } from "vitest";

const SCRIPT = fileURLToPath(new URL("read.py", import.meta.url));
const PNG = "89504e470d0a1a0a";
const PYTHON = pythonReaders();
const [PRETRAINING, META_TRAINING] = [3, 5];

interface Line {
  readonly step: number;
  readonly stage: string;
  readonly kind?: string;
  readonly support_losses: readonly number[];
  readonly query_losses: readonly number[];
  readonly gradient_norm: number;
}

interface Seen {
  readonly tensorboard: {
    readonly scalars: Readonly<Record<string, readonly [step: number, value: number][]>>;
    readonly images: Readonly<
      Record<string, readonly [step: number, [width: number, height: number, bytes: number[], start: string]][]>
    >;
  };
  readonly pandas: {
    readonly columns: readonly string[];
    readonly types: Readonly<Record<string, string>>;
    readonly steps: readonly number[];
    readonly before: readonly number[];
    readonly after: readonly number[];
  };
  readonly onnx: {
    readonly shape: number[];
    readonly difference: number;
    readonly effect: number;
    readonly scale: string;
  };
}

describe.skipIf(PYTHON === undefined || !hasMzsr())("a run that is read by", { timeout: 240_000 }, () => {
  const folder = sharedFolder();
  const run = join(folder, "run");
  let seen: Seen;
  let lines: readonly Line[];

  beforeAll(async () => {
    await makePhotos(join(folder, "photos"));
    const training = smallRun(join(folder, "photos"), PRETRAINING, META_TRAINING);
    const up = await mzsr(["up", "--run", run, ...training, "--workers", "1", "--tensorboard", "--http-port", "0"]);
    expect(up.code, up.notes).toBe(0);
    const networks = ["network.onnx", "network.safetensors"].map((name) => join(folder, name));
    for (const network of networks) {
      const { code, notes } = await mzsr(["export", "--model", run, "-o", network]);
      expect(code, notes).toBe(0);
    }
    const { status, stdout, stderr } = spawnSync(PYTHON!, [SCRIPT, run, ...networks], { encoding: "utf8" });
    expect(status, stderr).toBe(0);
    seen = JSON.parse(stdout) as Seen;
    const text = await readFile(join(run, "metrics.jsonl"), "utf8");
    const all = text.trimEnd().split("\n");
    lines = all.map((line) => JSON.parse(line) as Line).filter(({ kind }) => kind === undefined);
  }, 240_000);

  const inStage = (stage: string) => lines.filter((line) => line.stage === stage);

  test("TensorBoard has a curve for every loss, step by step, with the values of metrics.jsonl", () => {
    const { scalars } = seen.tensorboard;
    const curve = (of: readonly Line[], value: (line: Line) => number) =>
      of.map((line) => [line.step, Math.fround(value(line))]);
    const meta = inStage("metaTraining");
    expect(scalars["loss/pretraining"]).toEqual(curve(inStage("pretraining"), (line) => line.support_losses[0]!));
    expect(scalars["loss/query/before"]).toEqual(curve(meta, (line) => line.query_losses[0]!));
    expect(scalars["loss/query/after"]).toEqual(curve(meta, (line) => line.query_losses.at(-1)!));
    expect(scalars["training/meta_gradient_norm"]).toEqual(curve(lines, (line) => line.gradient_norm));
  });

  test("TensorBoard has its pictures, of the sizes that they say", () => {
    const pictures = Object.entries(seen.tensorboard.images);
    expect(pictures.map(([tag]) => tag)).toContainEqual(expect.stringMatching(/^preview\/.*\/adapted$/));
    for (const [tag, values] of pictures) {
      for (const [, [width, height, bytes, start]] of values) {
        expect(start, tag).toBe(PNG);
        expect(Math.min(width, height, ...bytes), tag).toBeGreaterThan(0);
      }
    }
  });

  test("pandas is a table of numbers, as the documents have it", () => {
    const { columns, types, steps, before, after } = seen.pandas;
    expect(columns).toEqual(expect.arrayContaining(["step", "stage", "stage_step", "seconds", "workers", "time"]));
    expect(types).toEqual({
      step: expect.stringMatching(/^int/),
      seconds: expect.stringMatching(/^float/),
      gradient_norm: expect.stringMatching(/^float/),
      theta_sha256: expect.stringMatching(/^(object|str)/),
    });
    expect(steps).toEqual(lines.map(({ step }) => step));
    const meta = inStage("metaTraining");
    // pandas reads 15 digits of a number.
    const near = (value: number) => expect.closeTo(value, 12);
    expect(before).toEqual(meta.map((line) => near(line.query_losses[0]!)));
    expect(after).toEqual(meta.map((line) => near(line.query_losses.at(-1)!)));
  });

  test("ONNX Runtime is the network, for an image of any size", () => {
    const { shape, difference, effect, scale } = seen.onnx;
    expect([shape, scale]).toEqual([[1, 3, 21, 17], "2"]);
    // A network that does nothing would be right too easily.
    expect(effect).toBeGreaterThan(1e-3);
    expect(difference).toBeLessThan(1e-5);
  });
});
