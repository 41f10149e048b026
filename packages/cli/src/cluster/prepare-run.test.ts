import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { temporaryFolder } from "@mzsr/testing/temporary-folder";
import { expect, test } from "vitest";
import { prepareRun } from "./prepare-run.js";

/** A run folder as a coordinator leaves it that could not do a step, and whatever else. */
async function runFolder(more: Record<string, string> = {}): Promise<string> {
  const folder = join(await temporaryFolder(), "run");
  const files = { "config.yaml": "seed: 1\n", "metrics.jsonl": "", "events.jsonl": "{}\n", ...more };
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), text);
  }
  return folder;
}

const prepare = (run: string) => prepareRun({ run }, new Date(0));

test("a run that has not done a step may be begun again, and nothing of it is deleted", async () => {
  const folder = await runFolder({ "logs/worker-1.log": "mzsr: backend cuda does not start\n" });
  expect(await prepare(folder)).toMatchObject({ folder, resume: false, found: "run", replace: false });
  expect(await readFile(join(folder, "logs", "worker-1.log"), "utf8")).toContain("cuda");
});

test("a run that has done anything is not begun again", async () => {
  for (const name of ["metrics.jsonl", "checkpoints/step-00000001.safetensors.broken", "model.safetensors"]) {
    const folder = await runFolder({ [name]: "something" });
    await expect(prepare(folder), name).rejects.toThrow(/holds a run already; expected --resume/);
    expect(await readFile(join(folder, name), "utf8")).toBe("something");
  }
});

test("a run that a coordinator works on is not begun again, though it has not done a step", async () => {
  const announcement = { grpc: "127.0.0.1:1", http: "http://127.0.0.1:2", pid: process.pid };
  const folder = await runFolder({ "coordinator.json": JSON.stringify(announcement) });
  await expect(prepare(folder)).rejects.toThrow(/a coordinator works on this run/);
});
