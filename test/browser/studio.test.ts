/** `mzsr studio` in a browser: a photo is dropped, its blur, the progress and the result are seen. */
import { readFile, writeFile } from "node:fs/promises";
import { request } from "node:http";
import { join } from "node:path";
import { createImage, encodePhoto } from "@mzsr/mzsr";
import { CHROMIUM_NOTE, hasChromium, launchChromium, openPage } from "@mzsr/testing/chromium";
import { MzsrProcess } from "@mzsr/testing/mzsr-process";
import { sharedFolder } from "@mzsr/testing/temporary-folder";
import axe from "axe-core";
import type { Browser, Page } from "playwright-core";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";

const [HEIGHT, WIDTH] = [72, 96];

describe.skipIf(!hasChromium)(`mzsr studio ${CHROMIUM_NOTE}`, { timeout: 180_000 }, () => {
  const folder = sharedFolder();
  const photo = join(folder, "cat.png");
  let studio: MzsrProcess;
  let address: string;
  let browser: Browser;

  beforeAll(async () => {
    const data = Float32Array.from({ length: HEIGHT * WIDTH * 3 }, (_, i) => {
      const [x, y] = [Math.floor(i / 3) % WIDTH, Math.floor(i / 3 / WIDTH)];
      return 0.5 + 0.4 * Math.sin(x / 3) * Math.cos(y / 4 + (i % 3));
    });
    await writeFile(photo, (await encodePhoto(createImage(HEIGHT, WIDTH, 3, data), "png")).bytes);
    studio = new MzsrProcess(["studio", "--backend", "simd", "--updates", "2", "--threads", "1"]);
    address = await studio.said(/^Page (http:\S+)$/);
    browser = await launchChromium();
  }, 60_000);

  afterAll(async () => {
    await browser.close();
    await studio.kill();
  });

  async function open(options = {}) {
    const watched = await openPage(browser, options);
    onTestFinished(() => watched.close());
    await watched.page.goto(address);
    return watched;
  }

  it("enlarges a photo that is dropped, tells its blur, shows before and after, and hands out the result", async () => {
    const { page, problems, requests } = await open();
    await drop(page, "cat.png", await readFile(photo));
    await page.getByRole("heading", { name: "cat.png" }).waitFor();
    await expectText(page, "#words", /px|sharp/);
    expect(await page.getByRole("img", { name: "The blur kernel" }).evaluate(brightest)).toBe(255);
    await page.getByRole("region", { name: "Result" }).waitFor();
    await expectText(page, "[role=status]", /^192×144 pixels in /);
    const slider = page.frameLocator("iframe").getByRole("slider", { name: "Bicubic up to here" });
    await slider.fill("80");
    expect(await page.frameLocator("iframe").locator("#stage").getAttribute("data-width")).toBe(String(2 * WIDTH));
    await faultless(page);

    const saved = page.waitForEvent("download");
    await page.getByRole("link", { name: "Save cat-x2.png" }).click();
    const download = await saved;
    expect(download.suggestedFilename()).toBe("cat-x2.png");
    const { width, height } = await sharp(await download.path()).metadata();
    expect([width, height]).toEqual([2 * WIDTH, 2 * HEIGHT]);
    expect(requests.filter((url) => !url.startsWith(address) && !url.startsWith("data:"))).toEqual([]);
    expect(problems).toEqual([]);
  });

  it("says what is wrong with a file, and takes the next one", async () => {
    const { page } = await open({ viewport: { width: 360, height: 740 }, colorScheme: "dark" });
    await drop(page, "notes.png", Buffer.from("these are words"));
    await page.getByRole("alert").waitFor();
    await expectText(page, "[role=alert]", /notes\.png: /);
    await faultless(page);
    await page.getByLabel("Choose a photo").setInputFiles(photo);
    await page.getByRole("region", { name: "Result" }).waitFor();
    expect(await page.getByRole("alert").isVisible()).toBe(false);
    expect(await page.evaluate("document.documentElement.scrollWidth - innerWidth")).toBeLessThanOrEqual(0);
  });

  it("shows how far it is while it computes, and ends the work when that is cancelled", async () => {
    const { page } = await open();
    const large = await sharp(photo).resize(640, 480).png().toBuffer();
    await drop(page, "large.png", large);
    await expectText(page, "[role=status]", /^(adapting|enlarging)/);
    expect(await page.locator("#kernel").isVisible()).toBe(true);
    await page.getByRole("button", { name: "Cancel" }).click();
    await expectText(page, "[role=status]", /^cancelled$/);
    // What was cancelled holds up nothing.
    await page.getByLabel("Choose a photo").setInputFiles(photo);
    await page.getByRole("region", { name: "Result" }).waitFor();
    await expectText(page, "[role=status]", /^192×144 pixels in /);
  });

  it("answers to nobody else: not without its secret, not under a foreign name, no photo of another page", async () => {
    const { origin, pathname, host } = new URL(address);
    expect((await fetch(origin)).status).toBe(404);
    expect((await fetch(`${origin}/${"A".repeat(32)}/`)).status).toBe(404);
    expect(await statusOf(address, { host: "evil.example" })).toBe(403);
    expect(await statusOf(address, { host })).toBe(200);
    const foreign = { method: "POST", body: "photo", headers: { origin: "http://evil.example" } };
    expect((await fetch(`${origin}${pathname}photos`, foreign)).status).toBe(403);
  });

  it("ends with Ctrl-C", async () => {
    studio.signal("SIGINT");
    expect(await studio.exit()).toBe(0);
  });
});

/** As a browser does with a file that is dropped anywhere on the page. */
async function drop(page: Page, name: string, bytes: Buffer): Promise<void> {
  const [base64, ...globals] = [bytes.toString("base64"), "DataTransfer", "File", "DragEvent", "atob"];
  await page.evaluate(
    ({ name, base64, globals: [Transfer, TheFile, Drag, decode] }) => {
      const all = globalThis as unknown as Record<string, never>;
      type Made = new (...args: unknown[]) => { items: { add(file: unknown): void } };
      const decoded = (all[decode!] as unknown as (text: string) => string)(base64);
      const dataTransfer = new (all[Transfer!] as unknown as Made)();
      const content = Uint8Array.from(decoded, (character) => character.charCodeAt(0));
      dataTransfer.items.add(new (all[TheFile!] as unknown as Made)([content], name));
      const event = new (all[Drag!] as unknown as Made)("drop", { dataTransfer, bubbles: true, cancelable: true });
      (all as unknown as { dispatchEvent(event: unknown): void }).dispatchEvent(event);
    },
    { name, base64: base64!, globals },
  );
}

async function expectText(page: Page, selector: string, text: RegExp): Promise<void> {
  await expect.poll(() => page.locator(selector).textContent(), { timeout: 60_000 }).toMatch(text);
}

async function faultless(page: Page): Promise<void> {
  // The page's policy lets no script in but its own.
  await page.evaluate(axe.source);
  const { violations } = (await page.evaluate("axe.run({ iframes: false })")) as { violations: { id: string }[] };
  expect(violations.map(({ id }) => id)).toEqual([]);
}

function statusOf(url: string, headers: Record<string, string>): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    request(url, { headers }, (response) => resolve(response.resume().statusCode))
      .on("error", reject)
      .end();
  });
}

interface Canvas {
  readonly width: number;
  readonly height: number;
  getContext(kind: "2d"): { getImageData(...box: number[]): { readonly data: Uint8ClampedArray } };
}

function brightest(element: unknown): number {
  const canvas = element as Canvas;
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  return Math.max(...data.filter((_, i) => i % 4 === 0));
}
