import { type ChildProcess, spawn } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import {
  type PreviewComputer,
  type PreviewOptions,
  type RunningCoordinator,
  startCoordinator,
} from "@mzsr/coordinator";
import { imresize } from "@mzsr/mzsr";
import type { Configuration } from "@mzsr/shared";
import { CHROMIUM_NOTE, hasChromium, launchChromium, openPage } from "@mzsr/testing/chromium";
import { BIN } from "@mzsr/testing/run-command";
import { smallConfiguration, smallImages } from "@mzsr/testing/small-run";
import { temporaryFolder } from "@mzsr/testing/temporary-folder";
import { type RunningWorker, startWorker } from "@mzsr/worker";
import pino from "pino";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";

const logger = pino({ level: "silent" });

/** A run that lasts longer than the test. */
const CONFIGURATION = smallConfiguration({ metaTraining: { steps: 100_000 }, checkpoints: { every: 20 } });

interface Place {
  readonly folder: string;
  readonly images: readonly string[];
}

async function newPlace(): Promise<Place> {
  const folder = await temporaryFolder();
  return { folder, images: await smallImages(folder) };
}

interface CoordinatorChanges {
  readonly resume?: boolean;
  readonly ports?: [number, number];
  readonly configuration?: Configuration;
  readonly previews?: PreviewOptions;
}

async function coordinatorIn({ folder, images }: Place, changes: CoordinatorChanges = {}) {
  const [grpcPort, httpPort] = changes.ports ?? [0, 0];
  const coordinator = await startCoordinator({
    configuration: changes.configuration ?? CONFIGURATION,
    previews: changes.previews,
    runFolder: join(folder, "run"),
    runName: "small",
    images,
    listen: { host: "127.0.0.1", grpcPort, httpPort },
    resume: changes.resume ?? false,
    logger,
  });
  onTestFinished(() => coordinator.abandon("the test is over"));
  return coordinator;
}

async function workerAt(coordinator: RunningCoordinator, { folder, images }: Place, name: string) {
  const worker = await startWorker({
    coordinator: coordinator.grpcAddress,
    name,
    slots: 1,
    backend: "cpu",
    cacheDir: join(folder, "cache"),
    localImages: [images[0]!.replace(/[^/\\]+$/, "")],
    logger,
  });
  onTestFinished(() => leave(worker));
  return worker;
}

/** A worker in a process of its own, so that it can be killed. */
function workerProcessAt(coordinator: RunningCoordinator, { folder }: Place, name: string): ChildProcess {
  const link = ["--coordinator", coordinator.grpcAddress, "--name", name, "--slots", "1", "--backend", "cpu"];
  const worker = spawn(process.execPath, [BIN, "worker", ...link, "--cache-dir", join(folder, "cache")], {
    stdio: "ignore",
  });
  onTestFinished(() => void worker.kill("SIGKILL"));
  return worker;
}

async function leave(worker: RunningWorker): Promise<void> {
  worker.drain("the test is over");
  worker.drain("now");
  await worker.finished;
}

function portOf(address: string): number {
  return Number(address.slice(address.lastIndexOf(":") + 1));
}

describe.skipIf(!hasChromium)(`the page of a real cluster ${CHROMIUM_NOTE}`, () => {
  let browser: Browser;

  beforeAll(async () => {
    browser = await launchChromium();
  });

  afterAll(() => browser.close());

  async function open(coordinator: RunningCoordinator) {
    const watched = await openPage(browser);
    onTestFinished(() => watched.close());
    await watched.page.goto(`http://${coordinator.httpAddress}/`);
    return watched;
  }

  it("shows the run's numbers, and follows a worker that joins and one that dies", async () => {
    const place = await newPlace();
    const coordinator = await coordinatorIn(place);
    const { page, problems } = await open(coordinator);
    await expectText(page, ".summary", "Waiting for workers");
    await workerAt(coordinator, place, "alpha");
    await expectText(page, '[data-worker="alpha"]', "Working");
    await expectText(page, ".summary", "Meta-training");

    const mortal = workerProcessAt(coordinator, place, "beta");
    await expectText(page, '[data-worker="beta"]', "Working");
    await expectText(page, ".events", "beta joined");
    mortal.kill("SIGKILL");
    await expectText(page, '[data-worker="beta"]', "Lost");
    await expectText(page, ".events", "beta lost");

    // The last status goes out before the streams are closed, so that it must agree with what is written.
    await coordinator.stop("the numbers are compared");
    const last = (await stepsOf(place)).at(-1)!;
    await expectText(page, ".summary", `step ${grouped(last.step)} of 100 002`);
    await expectText(page, ".summary", last.query_losses.at(-1)!.toPrecision(3));
    expect(problems.filter((problem) => !problem.includes("ERR_"))).toEqual([]);
  });

  it("says of a run that ends how to open it, with its last pictures, once its coordinator is gone", async () => {
    const place = await newPlace();
    const computer: PreviewComputer = {
      compute: async ({ lr, degradation }) => {
        const large = imresize(lr, degradation.scale);
        return { before: large, adapted: large, seconds: 60 };
      },
      hurry: () => undefined,
      close: async () => undefined,
    };
    const previews = { photos: [{ name: "photo", path: place.images[0]! }], computer };
    const configuration = smallConfiguration({ metaTraining: { steps: 20 } });
    const coordinator = await coordinatorIn(place, { configuration, previews });
    const { page } = await open(coordinator);
    await expectText(page, ".summary", "Waiting for workers");
    await workerAt(coordinator, place, "alpha");
    expect((await coordinator.finished).complete).toBe(true);
    await expectText(page, ".banner-place", `npx mzsr view ${join(place.folder, "run")}`);
    await expectText(page, ".connection", "Ended");
    await expectText(page, ".pictures output", "22");
    expect(await page.getByText("Trying again").count()).toBe(0);
    const widths = () => page.locator(".pictures img").evaluateAll(naturalWidths);
    await expect.poll(async () => (await widths()).filter((width) => width > 0).length).toBe(4);
  });

  it("survives a restart of the coordinator", async () => {
    const place = await newPlace();
    const first = await coordinatorIn(place);
    const { page } = await open(first);
    await workerAt(first, place, "alpha");
    await expectText(page, ".summary", "Meta-training");
    const ports: [number, number] = [portOf(first.grpcAddress), portOf(first.httpAddress)];
    await first.stop("a restart");
    await expectText(page, ".banner-place", "does not answer");

    const second = await coordinatorIn(place, { resume: true, ports });
    await expectText(page, ".connection", "Live");
    await expectText(page, ".events", "resumed");
    await workerAt(second, place, "gamma");
    await expectText(page, '[data-worker="gamma"]', "Working");
    expect(await page.getByText("does not answer").count()).toBe(0);
  });
});

async function stepsOf({ folder }: Place): Promise<{ step: number; query_losses: number[] }[]> {
  const text = await readFile(join(folder, "run", "metrics.jsonl"), "utf8");
  return text
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
}

/** 12345 → 12 345 */
function grouped(count: number): string {
  return String(count).replaceAll(/\B(?=(\d{3})+$)/g, " ");
}

async function expectText(page: Page, selector: string, text: string): Promise<void> {
  const plain = async () => (await page.locator(selector).allTextContents()).join(" ").replaceAll(/\s+/g, " ");
  await expect.poll(plain, { timeout: 30_000 }).toContain(text);
}

/** Runs in the page. */
function naturalWidths(images: unknown[]): number[] {
  return (images as { naturalWidth: number }[]).map((image) => image.naturalWidth);
}
