import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { RunListing } from "@mzsr/shared";
import { BIN, mzsr } from "@mzsr/testing/run-command";
import { temporaryFolder } from "@mzsr/testing/temporary-folder";
import { expect, onTestFinished, test } from "vitest";

async function emptyRun(parent: string, name: string): Promise<string> {
  const folder = join(parent, name);
  await mkdir(folder);
  await writeFile(join(folder, "config.yaml"), "metaTraining: { steps: 7 }\n");
  return folder;
}

test("mzsr view serves the runs it is given, says where, and ends with Ctrl-C", async () => {
  const folder = await temporaryFolder();
  const runs = [await emptyRun(folder, "one"), await emptyRun(folder, "two")];
  const child = spawn(process.execPath, [BIN, "view", ...runs], { stdio: ["ignore", "pipe", "inherit"] });
  onTestFinished(() => void child.kill("SIGKILL"));
  const [line] = (await once(createInterface({ input: child.stdout }), "line")) as [string];
  const address = /^Page (http:\S+)$/.exec(line)?.[1];
  expect(new URL(address!).search).toBe("?run=one&compare=two");
  const listed = (await (await fetch(new URL("/api/runs", address))).json()) as RunListing[];
  expect(listed.map(({ run, status }) => [run, status.totalSteps])).toEqual([
    ["one", 100_007],
    ["two", 100_007],
  ]);
  child.kill("SIGINT");
  expect(await once(child, "exit")).toEqual([0, null]);
});

test("mzsr view refuses a folder that holds no run", async () => {
  const folder = await temporaryFolder();
  const { code, notes } = await mzsr(["view", folder]);
  expect(code).toBe(2);
  expect(notes).toContain(`${folder}: no run in it`);
});

test("mzsr view names the options for an address that cannot be listened on", async () => {
  const run = await emptyRun(await temporaryFolder(), "one");
  const { code, notes } = await mzsr(["view", run, "--host", "192.0.2.1"]);
  expect([code, notes]).toEqual([2, expect.stringMatching(/^mzsr: http:\/\/192\.0\.2\.1:0: .*\(--host\).*\(--port\)/)]);
});
