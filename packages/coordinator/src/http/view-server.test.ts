import { join } from "node:path";
import type { MetricsColumns, RunListing } from "@mzsr/shared";
import { helloOf } from "@mzsr/testing/scripted-worker";
import { temporaryFolder } from "@mzsr/testing/temporary-folder";
import { expect, onTestFinished, test } from "vitest";
import { smallCoordinator, workerOf } from "../testing/small-coordinator.js";
import { startViewServer } from "./view-server.js";

/** Trains a small run to its end, and returns its folder. */
async function finishedRun(folder: string, name: string): Promise<string> {
  const runFolder = join(folder, name);
  const coordinator = await smallCoordinator(folder, { runFolder, runName: name });
  const worker = workerOf(coordinator);
  worker.compute();
  worker.hello(helloOf("alice"));
  await coordinator.finished;
  return runFolder;
}

async function view(...runs: string[]) {
  const problems: string[] = [];
  const server = await startViewServer({
    runs,
    host: "127.0.0.1",
    port: 0,
    onError: (reason) => problems.push(reason),
  });
  onTestFinished(() => server.stop());
  const get = async (path: string) => {
    const response = await fetch(new URL(path, server.url));
    return { status: response.status, text: await response.text() };
  };
  return { url: new URL(server.url), get, problems };
}

test("finished runs are told from their folders, the first by default, and compared with it", async () => {
  const folder = await temporaryFolder();
  const { url, get } = await view(
    await finishedRun(folder, "b"),
    await finishedRun(folder, "a"),
    await finishedRun(folder, "c"),
  );
  expect(url.search).toBe("?run=b&compare=a&compare=c");
  const runs = JSON.parse((await get("/api/runs")).text) as RunListing[];
  expect(runs.map(({ run, live, status }) => [run, live, status.phase])).toEqual([
    ["b", false, "finished"],
    ["a", false, "finished"],
    ["c", false, "finished"],
  ]);
  const metrics = JSON.parse((await get("/api/metrics?run=a")).text) as MetricsColumns;
  expect(metrics).toMatchObject({ run: "a", lastStep: 6 });
  expect(JSON.parse((await get("/api/status")).text)).toMatchObject({ run: "b", step: 6 });
  expect(JSON.parse((await get("/api/events?last=1")).text)).toHaveLength(1);
});

test("runs of one name are told apart by where they lie", async () => {
  const folder = await temporaryFolder();
  const runs = [await finishedRun(join(folder, "x"), "run"), await finishedRun(join(folder, "y"), "run")];
  const { get, url } = await view(...runs);
  expect(url.searchParams.get("compare")).toBe("y/run");
  expect((await get("/api/status?run=x%2Frun")).status).toBe(200);
  expect((await get("/api/status?run=run")).status).toBe(404);
});

test("what only a live run has is not there", async () => {
  const { get } = await view(await finishedRun(await temporaryFolder(), "a"));
  for (const path of ["/api/stream", "/metrics", "/sd", "/readyz"]) {
    expect(await get(path)).toMatchObject({ status: 404, text: expect.stringContaining("no run is live here") });
  }
});

test("a folder without a run is refused, by its name", async () => {
  const folder = await temporaryFolder();
  await expect(
    startViewServer({ runs: [folder], host: "127.0.0.1", port: 0, onError: () => undefined }),
  ).rejects.toThrow(`${folder}: no run in it`);
});
