/**
 * The backends `tensorflow` and `cuda` share their JavaScript and their native binding; the store of the prebuilt binaries
 * cannot be reached from everywhere. Here the binding is built from its sources against the libtensorflow of TensorFlow's Python
 * wheel, beside the packages as npm would publish them. That is a download of 0.2 GB and 1 GB of disk, so only when asked for:
 *
 *   MZSR_TEST_TENSORFLOW=1 npx vitest run test/tensorflow
 */
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import type { MetaGradient } from "@mzsr/mzsr";
import { makePhotos, smallRun } from "@mzsr/testing/small-cluster-run";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { goldenTasks, relativeL2 } from "../../packages/engine-webgpu/src/testing/golden-tasks.js";
import { installTensorflow } from "./install-tensorflow.js";

const run = promisify(execFile);
const asked = process.env.MZSR_TEST_TENSORFLOW === "1" && process.platform === "linux" && process.arch === "x64";
const why = asked ? "" : "(skipped: set MZSR_TEST_TENSORFLOW=1, on Linux on x64)";

const INSTALL_MS = 600_000;
const PATIENCE_MS = 300_000;

/** TensorFlow greets on standard error. */
const env = { ...process.env, TF_CPP_MIN_LOG_LEVEL: "2" };

/** Reads problems as JSON, prints the results. */
const PROGRAM = `
import { readFileSync } from "node:fs";
import { metaGradient } from "@mzsr/mzsr";
import { startBackend } from "@mzsr/worker";

await startBackend("tensorflow");
const floats = (values) => Float32Array.from(values);
const pairs = ({ shape, x, y }) => ({ shape, x: floats(x), y: floats(y) });
const results = [];
for (const problem of JSON.parse(readFileSync("problems.json", "utf8"))) {
  const { theta, support, query, ...rest } = problem;
  const result = await metaGradient({ ...rest, theta: floats(theta), support: pairs(support), query: pairs(query) });
  results.push({ ...result, gradient: [...result.gradient] });
}
console.log(JSON.stringify(results));
`;

describe.skipIf(!asked)(`the backend tensorflow, built from its sources ${why}`, () => {
  let folder: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "mzsr-tensorflow-"));
    await installTensorflow(folder);
  }, INSTALL_MS);

  afterAll(() => rm(folder, { recursive: true, force: true }));

  it(
    "computes the reference's meta-gradients",
    async () => {
      const golden = goldenTasks();
      const problems = golden.map(({ shape, task }) => ({
        ...shape,
        ...{ innerRate: task.innerRate, stepWeights: Array.from(task.stepWeights), theta: [...task.theta] },
        ...{ support: plain(task.support), query: plain(task.query) },
      }));
      await writeFile(join(folder, "problems.json"), JSON.stringify(problems));
      await writeFile(join(folder, "golden.js"), PROGRAM);
      const { stdout } = await run(process.execPath, ["golden.js"], { cwd: folder, env, maxBuffer: 2 ** 28 });
      const results = JSON.parse(stdout.slice(stdout.indexOf("["))) as (Omit<MetaGradient, "gradient"> & {
        gradient: number[];
      })[];
      expect(results).toHaveLength(golden.length);
      for (const [i, { gradient, outerLoss }] of results.entries()) {
        let offset = 0;
        for (const expected of golden[i]!.gradient) {
          const actual = gradient.slice(offset, offset + expected.length);
          expect(relativeL2(actual, expected), golden[i]!.name).toBeLessThan(1e-4);
          offset += expected.length;
        }
        expect(offset).toBe(gradient.length);
        expect(outerLoss).toBeCloseTo(golden[i]!.outerLoss, 5);
      }
    },
    PATIENCE_MS,
  );

  it(
    "trains a cluster to the losses of simd",
    async () => {
      await makePhotos(join(folder, "photos"));
      const expected = await lossesOf("simd");
      const losses = await lossesOf("tensorflow");
      expect(losses.length).toBeGreaterThan(10);
      expect(losses).toHaveLength(expected.length);
      for (const [i, loss] of losses.entries()) expect(Math.abs(loss - expected[i]!)).toBeLessThan(1e-4);
    },
    PATIENCE_MS,
  );

  async function lossesOf(backend: string): Promise<number[]> {
    const where = ["--run", backend, "--workers", "2", "--http-port", "0"];
    const args = ["up", ...where, ...smallRun("photos", 2, 3), "--backend", backend];
    await run(join(folder, "node_modules", ".bin", "mzsr"), args, { cwd: folder, env });
    const lines = (await readFile(join(folder, backend, "metrics.jsonl"), "utf8")).trim().split("\n");
    const steps = lines.map((line) => JSON.parse(line) as { support_losses: number[]; query_losses: number[] });
    return steps.flatMap((step) => [...step.support_losses, ...step.query_losses]);
  }
});

function plain({ shape, x, y }: { shape: readonly number[]; x: Float32Array; y: Float32Array }) {
  return { shape, x: [...x], y: [...y] };
}
