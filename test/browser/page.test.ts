import { CHROMIUM_NOTE, hasChromium, launchChromium, openPage, type WatchedPage } from "@mzsr/testing/chromium";
import { FakeFeed, FakeRun, fakeStatus, fakeStep, fakeWorker } from "@mzsr/testing/fake-feed";
import axe from "axe-core";
import type { Browser, Page } from "playwright-core";
import sharp from "sharp";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";

const PRETRAINING = 20;

const LOOKS = [
  ["wide and light", { viewport: { width: 1440, height: 900 }, colorScheme: "light" }],
  ["wide and dark", { viewport: { width: 1440, height: 900 }, colorScheme: "dark" }],
  ["on a phone", { viewport: { width: 360, height: 740 }, colorScheme: "light" }],
] as const;

describe.skipIf(!hasChromium)(`the page, fed by hand ${CHROMIUM_NOTE}`, () => {
  let browser: Browser;
  const ends: (() => Promise<void>)[] = [];

  beforeAll(async () => {
    browser = await launchChromium();
  });

  afterEach(async () => {
    for (const end of ends.splice(0).reverse()) await end();
  });

  afterAll(() => browser.close());

  async function serve(...runs: FakeRun[]): Promise<FakeFeed> {
    const feed = new FakeFeed(...runs);
    await feed.listen();
    ends.push(() => feed.stop());
    return feed;
  }

  async function open(feed: FakeFeed, query = "", options = {}): Promise<WatchedPage> {
    const watched = await openPage(browser, options);
    ends.push(() => watched.close());
    await watched.page.goto(feed.address + query);
    await watched.page.getByRole("heading", { name: "Is it learning?" }).waitFor();
    return watched;
  }

  it("shows the run's numbers, asks nobody else, and bears a strict content security policy", async () => {
    const feed = await serve(runOf(60));
    const { page, problems, requests } = await open(feed);
    expect(await page.title()).toBe("fake · mzsr");
    const summary = page.getByRole("region", { name: "Summary" });
    await expectText(summary, "Meta-training, step 3 000 of 12 000");
    await expectText(summary, "25 %");
    await expectText(summary, "1 h 57 min");
    await expectText(summary, "0.0251");
    await expectText(summary, "6.4 tasks/s");
    expect(await summary.getByRole("progressbar").getAttribute("aria-valuenow")).toBe("3000");
    await page.locator(".chart canvas").first().waitFor();
    expect(await page.evaluate("document.fonts.ready.then(() => document.fonts.check('16px Inter'))")).toBe(true);
    expect(requests.filter((address) => !address.startsWith(feed.address))).toEqual([]);
    expect(problems).toEqual([]);
  });

  it("adds each step to the curves as it comes", async () => {
    const feed = await serve(runOf(60));
    const { page } = await open(feed);
    await page.getByText("The curves as a table").click();
    const newest = page.locator(".table-alternative tbody tr").first();
    await expectText(newest, "60");
    for (let step = 61; step <= 64; step++) feed.step(fakeStep(step, PRETRAINING));
    await expectText(newest, "64");
    await page.getByRole("slider", { name: "Smoothing" }).fill("0");
    await expectText(newest, fakeStep(64, PRETRAINING).queryLosses.at(-1)!.toPrecision(3));
  });

  it("shows what happened between its first look and the opening of its stream", async () => {
    const feed = await serve(runOf(60));
    feed.beforeStream = () => feed.event({ at: Date.now(), kind: "join", worker: "early", reason: "host-1, simd" });
    const { page } = await open(feed);
    await expectText(page.locator(".events li").first(), "early joined");
    expect(await page.locator(".events li", { hasText: "early" }).count()).toBe(1);
  });

  it("follows a worker that joins and one that is lost, and says so to a screen reader", async () => {
    const run = runOf(60);
    run.status = fakeStatus({ workers: [fakeWorker("alpha")] });
    const feed = await serve(run);
    const { page } = await open(feed);
    await page.locator('[data-worker="alpha"]').waitFor();
    expect(await page.locator("[data-worker]").count()).toBe(1);

    feed.setStatus({ workers: [fakeWorker("alpha"), fakeWorker("beta", { host: "host-2" })] });
    feed.event({ at: Date.now() + 1, kind: "join", worker: "beta", reason: "host-2, simd, 2 slots" });
    await expectText(page.locator('[data-worker="beta"]'), "Working");
    await expectText(page.locator("[aria-live=polite]"), "beta joined");

    const lost = fakeWorker("alpha", { state: "lost", reason: "no heartbeat for 5 s", busySlots: 0 });
    feed.setStatus({ workers: [lost, fakeWorker("beta")] });
    feed.event({ at: Date.now() + 2, kind: "lost", worker: "alpha", reason: "no heartbeat for 5 s" });
    await expectText(page.locator('[data-worker="alpha"]'), "Lost");
    await expectText(page.locator('[data-worker="alpha"]'), "no heartbeat for 5 s");
    await expectText(page.locator("[aria-live=polite]"), "alpha lost");
    await expectText(page.locator(".events li").first(), "alpha lost");
  });

  it("tells of a worker's GPU and of where the time of its batches goes", async () => {
    const gpu = { utilisation: 0.87, memoryUsedBytes: 1.2e9, memoryTotalBytes: 85e9, temperature: 61.4 };
    const batches = { tasks: 15.5, shares: { data: 0.05, upload: 0.1, compute: 0.8, readBack: 0.05 } };
    const card = { ...gpu, name: "NVIDIA H100", driver: "550.54" };
    const run = runOf(60);
    run.status = fakeStatus({ workers: [fakeWorker("alpha", { backend: "webgpu", device: { gpu: card, batches } })] });
    const { page } = await open(await serve(run));
    const worker = page.locator('[data-worker="alpha"]');
    await expectText(worker, "host-1, webgpu, NVIDIA H100, driver 550.54");
    await expectText(worker, "1.2 of 85 GB");
    await expectText(worker, "61 °C");
    await expectText(worker, "80 % computing, 5.0 % reading back");
  });

  it("survives a restart of the coordinator: says what is old, comes back by itself, and shows what was missed", async () => {
    const feed = await serve(runOf(60));
    const port = Number(new URL(feed.address).port);
    const { page } = await open(feed);
    await expectText(page.locator(".connection"), "Live");
    await feed.stop();
    await expectText(page.locator(".banner-place"), "does not answer");
    await expectText(page.getByRole("region", { name: "Summary" }), "3 000 of 12 000");

    const later = runOf(80);
    later.status = fakeStatus({ step: 3500, stageStep: 1500 });
    const restarted = new FakeFeed(later);
    await restarted.listen(port);
    ends.push(() => restarted.stop());
    await expectText(page.locator(".connection"), "Live");
    await expectText(page.getByRole("region", { name: "Summary" }), "3 500 of 12 000");
    await page.getByText("The curves as a table").click();
    await expectText(page.locator(".table-alternative tbody tr").first(), "80");
    expect(await page.getByText("does not answer").count()).toBe(0);
  });

  it("keeps a finished run whole when its coordinator ends: every picture, what it ended with, and how to open it", async () => {
    const run = runOf(60);
    await addPictures(run);
    const feed = await serve(run);
    const { page } = await open(feed);
    const adapted = page.getByRole("article", { name: "cat" }).getByRole("img", { name: /^Adapted/ });
    await expect.poll(() => adapted.evaluate(naturalWidth)).toBe(16);
    // The last entry is told of by nothing but the end.
    await addPictures(run, [...STEPS, 12_000]);
    run.status = fakeStatus({ phase: "finished", step: 12_000, stageStep: 10_000 });
    await feed.end("/data/my runs/fake");
    await expectText(page.locator(".connection"), "Ended");
    await expectText(page.locator(".banner-place"), "npx mzsr view '/data/my runs/fake'");
    await expectText(page.getByRole("region", { name: "Summary" }), "Finished");
    expect(await page.getByText("Trying again").count()).toBe(0);
    const slider = page.getByRole("slider", { name: "After step" });
    for (const [at, step] of [...STEPS, 12_000].entries()) {
      await slider.fill(String(at));
      await expect.poll(() => adapted.getAttribute("src")).toContain(`cat-${step}-adapted.png`);
      await expect.poll(() => adapted.evaluate(naturalWidth)).toBe(16);
    }
  });

  it("offers no picture that it could not keep, and says that a finished run is over though nobody told it", async () => {
    const run = runOf(60);
    run.status = fakeStatus({ phase: "finished", step: 12_000, stageStep: 10_000 });
    await addPictures(run);
    run.pictures.delete("cat-20-adapted.png");
    const untold = await serve(run);
    const told = await serve(run);
    const { page } = await open(told);
    await told.end("/data/fake");
    await expectText(page.locator(".pictures output"), "40");
    expect(await page.getByRole("slider", { name: "After step" }).isDisabled()).toBe(true);
    const { page: other } = await open(untold);
    await expectText(other.locator(".connection"), "Live");
    await untold.stop();
    await expectText(other.locator(".banner-place"), "mzsr view");
    expect(await other.getByText("Trying again").count()).toBe(0);
  });

  it("shows a run of 100,000 steps from a downsampled history", async () => {
    const feed = await serve(runOf(100_000));
    const { page } = await open(feed);
    await page.locator(".chart canvas").first().waitFor();
    await page.getByText("The curves as a table").click();
    await expectText(page.locator(".table-alternative tbody tr").first(), "100 000");
    const fetched = await page.evaluate(async () => {
      const text = await (await fetch("api/metrics?points=700")).text();
      return { bytes: text.length, points: JSON.parse(text).step.length as number };
    });
    expect(fetched.points).toBeLessThanOrEqual(701);
    expect(fetched.bytes).toBeLessThan(150_000);
  });

  it("says why a run that trains has no pictures yet, and nothing of it when the run is over", async () => {
    const feed = await serve(runOf(60));
    const { page } = await open(feed);
    await expectText(page.locator(".pictures"), "where every core is busy, the first takes minutes");
    feed.setStatus({ phase: "finished" });
    await page.locator(".pictures").waitFor({ state: "detached" });
  });

  it("shows held-out pictures with their kernels, and goes back through the run", async () => {
    const run = runOf(60);
    await addPictures(run);
    const feed = await serve(run);
    const { page } = await open(feed);
    const picture = page.getByRole("article", { name: "cat" });
    const adapted = picture.getByRole("img", { name: /^Adapted/ });
    await expect.poll(() => adapted.evaluate(naturalWidth)).toBe(16);
    await expectText(picture, "31.20 dB");
    await expectText(picture, "+2.20 dB");
    expect(await picture.getByRole("img", { name: "Blur kernel, 3 by 3" }).evaluate(brightestPixel)).toEqual([1, 1]);

    await page.getByRole("slider", { name: "After step" }).fill("0");
    await expectText(picture, "30.10 dB");
    expect(await adapted.getAttribute("src")).toContain("cat-20-adapted.png");

    run.images = run.images.map((image) => ({
      ...image,
      entries: [...image.entries, { ...image.entries[1]!, step: 60, psnr: { bicubic: 29, before: 31, adapted: 32.4 } }],
    }));
    feed.send("preview", { step: 60 });
    await page.getByRole("slider", { name: "After step" }).fill("2");
    await expectText(picture, "32.40 dB");
  });

  it("shows how good the models are on held-out images, as soon as one is measured", async () => {
    const run = runOf(60);
    const feed = await serve(run);
    const { page } = await open(feed);
    const section = page.getByRole("region", { name: "How good is it on images it never saw?" });
    expect(await section.count()).toBe(0);
    const validation = (step: number, psnr: readonly number[]) => ({
      ...{ step, weights: "ema" as const, images: 5, updates: [0, 10], bicubic: 29, psnr, seconds: 3 },
      kernels: [{ kernel: "g2.0", bicubic: 28.5, psnr: psnr.map((decibels) => decibels + 0.25) }],
    });
    run.validations = [validation(20, [30, 33.5]), validation(40, [31, 33.25])];
    feed.send("validation", run.validations[1]!);
    await expectText(section, "Best 33.50 dB at step 20");
    await expectText(section.getByRole("table", { name: "Step 40, 5 images, moving average" }), "g2.0");
    await expectText(section.getByRole("row", { name: /^g2.0/ }), "33.50 dB");
    await section.getByRole("img", { name: "Mean PSNR on held-out images over the steps, now 33.25 dB" }).waitFor();
  });

  it("shows a finished run and compares it with another", async () => {
    const old = new FakeRun(fakeStatus({ run: "old", phase: "finished", step: 50, totalSteps: 50 }), false);
    for (let step = 1; step <= 50; step++) old.history.append(fakeStep(step, PRETRAINING));
    const feed = await serve(runOf(60), old);
    const { page } = await open(feed, "?run=old");
    await expectText(page.locator(".connection"), "From its folder");
    expect(feed.asked).not.toContain("/api/stream");
    await compareWith(page, "fake (live)");
    await page.waitForURL(/run=old&compare=fake/);
    await expectText(page.getByRole("region", { name: "Summary" }), "Finished");
    const table = page.getByRole("region", { name: "Side by side" });
    await expectText(table, "50 of 50");
    await expectText(table, "3 000 of 12 000");
    await expectText(page.locator(".legend"), "fake, after adaptation");
    await page.getByRole("combobox", { name: "Run", exact: true }).selectOption("fake");
    await page.waitForURL(/run=fake/);
    await expectText(page.locator(".connection"), "Live");
  });

  it("compares a run with several: a curve of its own look for each, its value at the cursor, and numbers side by side", async () => {
    const others = [120, 90, 40].map((steps, at) => finishedRun(`other-${at + 1}`, steps));
    const feed = await serve(finishedRun("shown", 60), ...others);
    const { page, problems } = await open(feed, "?run=shown");
    await compareWith(page, "other-1", "other-2", "other-3");
    await page.waitForURL(/run=shown&compare=other-1&compare=other-2&compare=other-3$/);
    const table = page.getByRole("region", { name: "Side by side" });
    for (const { name } of others) await table.getByRole("row", { name: new RegExp(`^${name} `) }).waitFor();
    const legend = page.locator(".legend");
    await expectText(legend, "Newest step of each run");
    for (const [at, steps] of [120, 90, 40].entries()) {
      await expectText(legend, `other-${at + 1}, after adaptation ${lossAfter(steps)}`);
    }
    const looks = await legend.locator(".swatch").evaluateAll(looksOf);
    expect(new Set(looks).size).toBe(5);

    await page.getByRole("slider", { name: "Smoothing" }).fill("0");
    await page.locator(".chart[tabindex]").first().focus();
    await page.keyboard.press("End");
    await expectText(
      legend,
      `Step 120Before adaptation –After adaptation –other-1, after adaptation ${lossAfter(120)}`,
    );
    await page.keyboard.press("Home");
    await expectText(legend, `other-3, after adaptation ${lossAfter(21)}`);
    await page.getByText("Compare (3)").click();
    await page.getByText("What these losses are").click();
    expect(await faultsOf(page)).toEqual([]);
    expect(problems).toEqual([]);
  });

  it("lets seven runs be chosen for comparison, and drops the one that becomes the shown one", async () => {
    const names = Array.from({ length: 9 }, (_, at) => `run-${at + 1}`);
    const feed = await serve(...names.map((name) => finishedRun(name, 40)));
    const { page } = await open(feed, "?run=run-1");
    await compareWith(page, ...names.slice(1, 8));
    await expectText(page.locator(".compared-choice summary"), "Compare (7)");
    await page.locator(".compared-choice summary").click();
    expect(await page.getByRole("checkbox", { name: "run-9" }).isDisabled()).toBe(true);
    await page.keyboard.press("Escape");
    expect(await page.getByRole("checkbox", { name: "run-9" }).isVisible()).toBe(false);
    await page.getByRole("combobox", { name: "Run", exact: true }).selectOption("run-3");
    await expectText(page.locator(".compared-choice summary"), "Compare (6)");
    await expectText(page.locator("h1"), "run-3");
  });

  it("says a loss once: the summary, the legend and the chart by inner step tell the newest step's, the cursor the curve's", async () => {
    const run = runOf(1500);
    const newest = fakeStep(1500, PRETRAINING);
    const [queryBefore, queryAfter] = [newest.queryLosses[0]!, newest.queryLosses.at(-1)!];
    run.status = fakeStatus({ step: 1500, losses: { supportBefore: null, queryBefore, queryAfter } });
    const { page } = await open(await serve(run));
    const after = queryAfter.toPrecision(3);
    await expectText(page.getByRole("region", { name: "Summary" }), `Loss after adaptation${after}`);
    await expectText(page.locator(".legend"), `Newest step, 1 500Before adaptation ${queryBefore.toPrecision(3)}`);
    await expectText(page.locator(".legend"), `After adaptation ${after}`);
    await expectText(page.locator(".small-chart").first(), `Loss by inner step ${after}`);
    const gain = /Gain \d+ %/.exec(plain(await page.locator(".legend").textContent()))![0];
    await expectText(page.locator(".small-chart").nth(1), gain.replace("Gain", "Gain from adaptation"));
    await page.locator(".chart[tabindex]").first().focus();
    await page.keyboard.press("End");
    await expectText(page.locator(".legend"), "Steps 1 496 to 1 500, mean, smoothed");
    await page.getByText("What these losses are").click();
    await expectText(page.locator(".explanation"), "Numbers are those of the newest step");
  });

  it("says that a run does not exist", async () => {
    const feed = await serve(runOf(3));
    const watched = await openPage(browser);
    ends.push(() => watched.close());
    await watched.page.goto(`${feed.address}?run=nothing`);
    await expectText(watched.page.locator(".banner-place"), "there is no run nothing");
  });

  it("can be read and used with the keyboard alone", async () => {
    const feed = await serve(runOf(60));
    const { page } = await open(feed);
    await page.keyboard.press("Tab");
    expect(await focused(page)).toBe("Skip to the run");
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    expect(await page.evaluate("document.documentElement.dataset.theme")).toBe("light");
    await page.keyboard.press("Enter");
    expect(await page.evaluate("document.documentElement.dataset.theme")).toBe("dark");

    await page.locator(".chart[tabindex]").first().focus();
    await page.keyboard.press("End");
    await expectText(page.locator(".legend"), "Step 60");
    await page.keyboard.press("ArrowLeft");
    await expectText(page.locator(".legend"), "Step 59");
    await page.keyboard.press("Shift+ArrowLeft");
    await expectText(page.locator(".legend"), "Step 49");
  });

  it.each(LOOKS)("has no fault that axe finds, and nothing that sticks out, %s", async (_, options) => {
    const run = runOf(60);
    await addPictures(run);
    const workers = (["active", "draining", "quarantined", "lost", "gone"] as const).map((state) =>
      fakeWorker(`worker-with-a-rather-long-name-${state}`, { state, slots: 24, reason: "for a reason" }),
    );
    run.status = fakeStatus({ workers });
    run.activity.sample(run.status, Date.now());
    run.events.push({ at: Date.now(), kind: "lost", worker: workers[0]!.worker, reason: "no heartbeat", step: 7 });
    const { page } = await open(await serve(run), "", options);
    await page.locator(".chart canvas").first().waitFor();
    expect(await faultsOf(page)).toEqual([]);
    expect(await page.evaluate("document.documentElement.scrollWidth - innerWidth")).toBeLessThanOrEqual(0);
  });

  describe("with 500 workers", () => {
    it("sums them up, draws only the rows in view, and fetches only their lanes", async () => {
      const { page, problems, requests } = await open(await serve(runOfMany()));
      await expectText(page.locator(".worker-overview"), "Working490");
      await expectText(page.locator(".worker-overview"), "Quarantined2");
      await expectText(page.locator(".worker-overview"), "Slowestworker-500, 50 s");
      const rows = page.locator("[data-worker]");
      await page.locator('[data-worker="worker-100"] .lane').waitFor();
      expect(await rows.count()).toBeLessThan(40);
      // Trouble stands first.
      expect(await rows.first().getAttribute("data-worker")).toBe("worker-100");

      await page.locator(".worker-scroll").evaluate(scrollToEnd);
      await page.locator('[data-worker="worker-500"] .lane').waitFor();
      expect(await page.locator('[data-worker="worker-500"]').getAttribute("aria-rowindex")).toBe("501");
      expect(await rows.count()).toBeLessThan(40);
      const lanes = requests.filter((address) => address.includes("/api/activity"));
      const asked = lanes.map((address) => new URL(address).searchParams.getAll("worker").length);
      expect(asked.filter((count) => count === 0 || count >= 40)).toEqual([]);
      expect(problems).toEqual([]);
    });

    it("can be searched and sorted, with the keyboard too, while numbers come in", async () => {
      const feed = await serve(runOfMany());
      const { page } = await open(feed);
      const first = page.locator("[data-worker]").first();
      const search = page.getByRole("searchbox", { name: "Search" });
      await search.fill("lost");
      await expectText(page.locator(".worker-search"), "3 of 500 workers");
      expect(await page.locator("[data-worker]").count()).toBe(3);
      await search.fill("worker-25");
      await expectText(page.locator(".worker-search"), "11 of 500 workers");
      await search.fill("nobody");
      await expectText(page.locator(".workers"), "No worker matches.");
      await search.fill("");

      await page.getByRole("button", { name: "A task" }).focus();
      await page.keyboard.press("Enter");
      await page.keyboard.press("Enter");
      await expect.poll(() => first.getAttribute("data-worker")).toBe("worker-500");
      expect(await page.getByRole("columnheader", { name: "A task" }).getAttribute("aria-sort")).toBe("descending");
      const workers = feed.run.status.workers.map((worker) =>
        worker.worker === "worker-7" ? { ...worker, secondsPerTask: 99 } : worker,
      );
      feed.setStatus({ workers });
      await expect.poll(() => first.getAttribute("data-worker")).toBe("worker-7");
      // The head alone comes in most seconds, and takes no worker away.
      const { workers: _, ...head } = { ...feed.run.status, step: 3001, stageStep: 1001 };
      feed.send("head", head);
      await expectText(page.getByRole("region", { name: "Summary" }), "3 001 of 12 000");
      expect(await first.getAttribute("data-worker")).toBe("worker-7");

      await page.locator(".worker-scroll").focus();
      await page.keyboard.press("End");
      await page.locator('[data-worker="worker-300"]').waitFor();
    });

    it("tells of a crowd that joins in one line, and to a screen reader", async () => {
      const feed = await serve(runOf(60));
      const { page } = await open(feed);
      feed.setStatus({ workers: manyWorkers() });
      for (let n = 1; n <= 500; n++) {
        feed.event({ at: Date.now() + n, kind: "join", worker: `worker-${n}`, reason: "host-1, simd, 2 slots" });
      }
      await expectText(page.locator(".events li").first(), "500 workers joined");
      expect(await page.locator(".events li").count()).toBe(1);
      await expectText(page.locator("[aria-live=polite]"), "joined");
    });

    it.each(LOOKS)("has no fault that axe finds, and nothing that sticks out, %s", async (_, options) => {
      const { page } = await open(await serve(runOfMany()), "", options);
      await page.locator('[data-worker="worker-100"]').waitFor();
      await page.locator(".chart canvas").first().waitFor();
      expect(await faultsOf(page)).toEqual([]);
      expect(await page.evaluate("document.documentElement.scrollWidth - innerWidth")).toBeLessThanOrEqual(0);
    });
  });
});

/** What axe finds wrong. */
async function faultsOf(page: Page): Promise<string[]> {
  await page.evaluate(axe.source);
  return page.evaluate(async () => {
    const { axe } = globalThis as unknown as { axe: typeof import("axe-core") };
    const { violations, passes } = await axe.run();
    if (!passes.some(({ id }) => id === "color-contrast")) return ["axe did not check the contrast"];
    return violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html.slice(0, 160)}`));
  });
}

/** `worker-1` to `worker-500`; worker-n takes n/10 s a task, and ten of them are not just working. */
function manyWorkers() {
  const unusual = new Map<number, Parameters<typeof fakeWorker>[1]>([
    [100, { state: "quarantined", reason: "two results were refused: not finite" }],
    [150, { state: "quarantined", reason: "two results were refused: norm" }],
    ...[200, 201, 202].map((n) => [n, { state: "lost", reason: "no heartbeat for 5 s" }] as const),
    ...[250, 251].map((n) => [n, { reason: "on trial: it did not answer its last tasks in time" }] as const),
    ...[300, 301, 302].map((n) => [n, { state: "draining", reason: "told to end", secondsPerTask: null }] as const),
  ]);
  return Array.from({ length: 500 }, (_, at) => {
    const n = at + 1;
    return fakeWorker(`worker-${n}`, { secondsPerTask: n / 10, tasksDone: 10 * n, ...unusual.get(n) });
  });
}

function runOfMany(): FakeRun {
  const run = runOf(60);
  run.status = fakeStatus({ workers: manyWorkers() });
  run.activity.sample(run.status, Date.now());
  return run;
}

/** A live run with `steps` steps behind it. */
function runOf(steps: number): FakeRun {
  const run = new FakeRun(fakeStatus());
  for (let step = 1; step <= steps; step++) run.history.append(fakeStep(step, PRETRAINING));
  return run;
}

/** Steps after which there are pictures. */
const STEPS = [20, 40];

async function addPictures(run: FakeRun, steps = STEPS): Promise<void> {
  const png = await sharp({ create: { width: 16, height: 16, channels: 3, background: "#884422" } })
    .png()
    .toBuffer();
  const entry = (step: number, adapted: number) => {
    const file = (kind: string) => `cat-${step}-${kind}.png`;
    const files = { lr: file("lr"), bicubic: file("bicubic"), adapted: file("adapted"), hr: file("hr") };
    for (const name of Object.values(files)) run.pictures.set(name, png);
    return { step, files, psnr: { bicubic: 29, before: adapted - 0.5, adapted } };
  };
  const kernel = { size: 3, values: [0.05, 0.1, 0.05, 0.1, 0.4, 0.1, 0.05, 0.1, 0.05] };
  const entries = steps.map((step, at) => entry(step, 30.1 + 1.1 * at));
  run.images = [{ name: "cat", scale: 2, updates: 10, downsampling: "direct", kernel, entries }];
}

function finishedRun(name: string, steps: number): FakeRun {
  const run = new FakeRun(fakeStatus({ run: name, phase: "finished", step: steps, totalSteps: steps }), false);
  for (let step = 1; step <= steps; step++) run.history.append(fakeStep(step, PRETRAINING));
  return run;
}

/** As the page writes it. */
function lossAfter(step: number): string {
  return fakeStep(step, PRETRAINING).queryLosses.at(-1)!.toPrecision(3);
}

/** Ticks runs in the list of those that can be compared, and shows them. */
async function compareWith(page: Page, ...labels: string[]): Promise<void> {
  await page.getByText("Compare", { exact: true }).click();
  for (const label of labels) await page.getByRole("checkbox", { name: label }).check();
  await page.getByRole("button", { name: "Show" }).click();
}

/** Waits until an element's text, with its kinds of space made plain, contains a text. */
async function expectText(element: ReturnType<Page["locator"]>, text: string): Promise<void> {
  await expect.poll(async () => plain(await element.textContent()), { timeout: 15_000 }).toContain(text);
}

function plain(text: string | null): string {
  return (text ?? "").replaceAll(/\s+/g, " ");
}

function focused(page: Page): Promise<string> {
  return page.evaluate<string>("document.activeElement.textContent.trim()");
}

// What follows runs in the page, on elements of which only this much needs to be known here.

function scrollToEnd(element: unknown): void {
  const scrolled = element as { scrollTop: number; scrollHeight: number };
  scrolled.scrollTop = scrolled.scrollHeight;
}

/** Colour and dashes of the lines in a legend. */
function looksOf(swatches: unknown[]): string[] {
  const style = (globalThis as unknown as { getComputedStyle(of: unknown): Record<string, string> }).getComputedStyle;
  return swatches.map((swatch) => {
    const line = (swatch as { firstElementChild: unknown }).firstElementChild;
    return `${style(line).stroke} ${style(line).strokeDasharray}`;
  });
}

function naturalWidth(image: unknown): number {
  return (image as { naturalWidth: number }).naturalWidth;
}

interface Canvas {
  readonly width: number;
  readonly height: number;
  getContext(kind: "2d"): { getImageData(...box: number[]): { readonly data: Uint8ClampedArray } };
}

/** [x, y] of the brightest pixel. */
function brightestPixel(element: unknown): [number, number] {
  const canvas = element as Canvas;
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  const sums = Array.from(
    { length: data.length / 4 },
    (_, at) => data[4 * at]! + data[4 * at + 1]! + data[4 * at + 2]!,
  );
  const at = sums.indexOf(Math.max(...sums));
  return [at % canvas.width, Math.floor(at / canvas.width)];
}
