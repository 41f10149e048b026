import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { mzsr } from "@mzsr/testing/run-command";
import { sharedFolder } from "@mzsr/testing/temporary-folder";
import { expect, it } from "vitest";

const folder = sharedFolder();

it("doctor says of every backend whether it starts, and why not", { timeout: 120_000 }, async () => {
  const { code, out } = await mzsr(["doctor", "--json"]);
  const report = JSON.parse(out);
  expect(code).toBe(0);
  expect(report.backends.map((backend: { name: string }) => backend.name)).toEqual([
    "webgpu",
    "cuda",
    "tensorflow",
    "simd",
    "cpu",
  ]);
  for (const { found, description } of report.backends)
    expect([typeof found, description]).toEqual(["boolean", expect.stringMatching(/\w{3,}/)]);
  expect(
    report.backends
      .filter((backend: { found: boolean }) => backend.found)
      .map((backend: { name: string }) => backend.name),
  ).toEqual(expect.arrayContaining(["simd", "cpu"]));
  expect(report.auto).toBe(
    report.backends.find((backend: { found: boolean; forAuto: boolean }) => backend.found && backend.forAuto).name,
  );
});

it("doctor tells how to get nats-server where it is not on PATH", { timeout: 120_000 }, async () => {
  const { out } = await mzsr(["doctor"], { env: { ...process.env, PATH: folder } });
  expect(out).toMatch(/nats-server +(nats-server: v|not on PATH; Debian, Ubuntu: apt-get install nats-server)/);
});

it("runs lists run folders and passes over everything else", async () => {
  const runs = join(folder, "runs");
  await mkdir(join(runs, "begun"), { recursive: true });
  await mkdir(join(runs, "photos"));
  await writeFile(join(runs, "notes.txt"), "");
  await writeFile(join(runs, "begun", "config.yaml"), "pretraining: {steps: 10}\nmetaTraining: {steps: 5}\n");
  const line = {
    step: 12,
    stage: "metaTraining",
    stage_step: 2,
    support_losses: [0.3],
    query_losses: [0.2, 0.1],
    seconds: 1,
  };
  await writeFile(join(runs, "begun", "metrics.jsonl"), `${JSON.stringify(line)}\n{"step": 13, "sta`);
  const { out } = await mzsr(["runs", runs, "--json"]);
  expect(JSON.parse(out)).toEqual([
    expect.objectContaining({
      run: "begun",
      state: "stopped",
      step: 12,
      totalSteps: 15,
      lossBefore: 0.2,
      lossAfter: 0.1,
    }),
  ]);
  expect((await mzsr(["runs", runs])).out).toMatch(/^begun +stopped .* step 12 of 15 {2}loss 0\.2000 → 0\.1000\n$/);
  expect(await mzsr(["runs"], { cwd: join(runs, "photos") })).toMatchObject({
    code: 0,
    notes: expect.stringContaining("no runs; start one with"),
  });
  expect(await mzsr(["runs", join(folder, "none")])).toMatchObject({
    code: 2,
    notes: expect.stringMatching(/^mzsr: .*none: cannot be read/),
  });
});
