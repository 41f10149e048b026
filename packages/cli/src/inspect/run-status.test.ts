import { mkdir, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { ClusterStatus } from "@mzsr/shared";
import { FakeFeed, FakeRun, fakeStatus, fakeWorker } from "@mzsr/testing/fake-feed";
import { freePort } from "@mzsr/testing/free-port";
import { hasNatsServer, startNatsServer } from "@mzsr/testing/nats-server";
import { mzsr } from "@mzsr/testing/run-command";
import { temporaryFolder } from "@mzsr/testing/temporary-folder";
import { describe, expect, onTestFinished, test } from "vitest";
import { smallCoordinator } from "../../../coordinator/src/testing/small-coordinator.js";
import { Terminal } from "../progress/terminal.js";
import { runStatus, type StatusOptions } from "./run-status.js";

/** Steps 10 and 5; so many of them done. */
async function storedRun(runs: string, name: string, steps: number): Promise<string> {
  const folder = join(runs, name);
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, "config.yaml"), "pretraining: {steps: 10}\nmetaTraining: {steps: 5}\n");
  const lines = Array.from({ length: steps }, (_, at) => {
    const stage =
      at < 10 ? { stage: "pretraining", stage_step: at + 1 } : { stage: "metaTraining", stage_step: at - 9 };
    return `${JSON.stringify({ step: at + 1, ...stage, support_losses: [0.3], query_losses: [], seconds: 1 })}\n`;
  });
  await writeFile(join(folder, "metrics.jsonl"), lines.join(""));
  return folder;
}

/** What the command says where no coordinator listens on the usual port. */
async function said(options: StatusOptions, runs: string): Promise<string> {
  let text = "";
  const terminal = new Terminal({ write: (more) => (text += more) }, { write: () => undefined });
  await runStatus(options, terminal, { runs, url: `http://127.0.0.1:${await freePort()}` });
  return text;
}

describe("where nothing runs", () => {
  test("tells of the newest run, or of the one that was asked for, from its folder", async () => {
    const runs = await temporaryFolder();
    const finished = await storedRun(runs, "finished", 15);
    const stopped = await storedRun(runs, "stopped", 12);
    await mkdir(join(runs, "photos"));
    await utimes(join(finished, "config.yaml"), new Date(2020, 1), new Date(2020, 1));
    await utimes(join(finished, "metrics.jsonl"), new Date(2020, 1), new Date(2020, 1));
    const text = await said({}, runs);
    expect(text).toMatch(/^stopped, stopped: step 12 of 15, /);
    expect(text).toContain(`go on with: npx mzsr up --run ${stopped} --resume`);
    const older = await said({ run: finished }, runs);
    expect(older).toMatch(/^finished, finished: step 15 of 15, /);
    expect(older).toContain(`npx mzsr view ${finished}`);
    expect(JSON.parse(await said({ json: true }, runs))).toMatchObject({ run: "stopped", step: 12, live: false });
    const { code, out } = await mzsr(["status", "--run", finished]);
    expect([code, out]).toEqual([0, older]);
  });

  test("and there is no run either, has failed", async () => {
    await expect(said({}, join(await temporaryFolder(), "none"))).rejects.toMatchObject({
      name: "RunError",
      message: expect.stringMatching(/nothing to tell of.*--url/),
    });
  });
});

test("of hundreds of workers a summary is told, every one when asked, and in JSON always", async () => {
  const workers = Array.from({ length: 400 }, (_, n) => fakeWorker(`worker-${n}`));
  const feed = new FakeFeed(new FakeRun(fakeStatus({ workers })));
  await feed.listen();
  onTestFinished(() => feed.stop());
  const asked = { url: feed.address };
  const summary = await said(asked, "");
  expect(summary).toContain("400 active; 800/800 slots busy");
  expect(summary.match(/worker-/g)!.length).toBeLessThan(20);
  expect((await said({ ...asked, workers: true }, "")).match(/worker-/g)).toHaveLength(400);
  expect((JSON.parse(await said({ ...asked, json: true }, "")) as ClusterStatus).workers).toHaveLength(400);
});

test.skipIf(!hasNatsServer())(
  "over NATS finds the run, lists several, and tells of one by its name",
  async () => {
    const server = await startNatsServer();
    onTestFinished(() => server.stop());
    const nats = { servers: [server.address] };
    const asked = (...args: string[]) => mzsr(["status", "--nats", server.address, ...args]);
    expect(await asked()).toMatchObject({
      code: 1,
      notes: expect.stringContaining("no coordinator answers over NATS"),
    });
    const start = async (runName: string) => {
      await smallCoordinator(await temporaryFolder(), { nats, runName });
      await expect.poll(async () => (await asked("--run", runName)).code, { timeout: 60_000 }).toBe(0);
    };
    await start("one");
    expect((await asked()).out).toMatch(/^one, waiting: step 0 of 6/);
    await start("two");
    const several = await asked();
    expect([several.code, several.out]).toEqual([0, "one, waiting: step 0 of 6\ntwo, waiting: step 0 of 6\n"]);
    expect(several.notes).toContain("--run NAME");
    expect((await asked("--run", "two")).out).toMatch(/^two, waiting/);
    const statuses = JSON.parse((await asked("--json")).out) as ClusterStatus[];
    expect(statuses.map(({ run }) => run)).toEqual(["one", "two"]);
  },
  240_000,
);
