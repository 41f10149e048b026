/** `mzsr view` of a picture of before and after, in a browser. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { createImage, encodePhoto } from "@mzsr/mzsr";
import { CHROMIUM_NOTE, hasChromium, launchChromium, openPage } from "@mzsr/testing/chromium";
import { BIN, mzsr } from "@mzsr/testing/run-command";
import { temporaryFolder } from "@mzsr/testing/temporary-folder";
import axe from "axe-core";
import sharp from "sharp";
import { describe, expect, it, onTestFinished } from "vitest";

const [HEIGHT, WIDTH] = [60, 80];

/** Left red, right blue. */
async function writePicture(path: string, description?: string): Promise<void> {
  const data = Float32Array.from({ length: HEIGHT * 2 * WIDTH * 3 }, (_, i) => {
    const left = Math.floor(i / 3) % (2 * WIDTH) < WIDTH;
    return i % 3 === (left ? 0 : 2) ? 1 : 0;
  });
  await writeFile(path, (await encodePhoto(createImage(HEIGHT, 2 * WIDTH, 3, data), "png", { description })).bytes);
}

describe.skipIf(!hasChromium)(`a picture of before and after ${CHROMIUM_NOTE}`, () => {
  it("is shown with a slider between its halves", { timeout: 120_000 }, async () => {
    const path = join(await temporaryFolder(), "both.png");
    await writePicture(path, "mzsr comparison: bicubic | enlarged");
    const child = spawn(process.execPath, [BIN, "view", path], { stdio: ["ignore", "pipe", "inherit"] });
    onTestFinished(() => void child.kill("SIGKILL"));
    const [line] = (await once(createInterface({ input: child.stdout }), "line")) as [string];
    const address = /^Page (http:\S+)$/.exec(line)![1]!;
    const browser = await launchChromium();
    onTestFinished(() => browser.close());
    const { page, problems, requests } = await openPage(browser);
    await page.goto(address, { waitUntil: "networkidle" });
    expect(await page.title()).toBe("both.png · mzsr");
    await page.getByLabel("Size").selectOption("1");

    /** The colour in the middle of the stage. */
    const middle = async () => {
      const shot = await page.locator("#stage").screenshot();
      const { data, info } = await sharp(shot).removeAlpha().raw().toBuffer({ resolveWithObject: true });
      expect([info.width, info.height]).toEqual([WIDTH, HEIGHT]);
      const at = 3 * ((HEIGHT / 2) * WIDTH + WIDTH / 2 + 8);
      return [...data.subarray(at, at + 3)];
    };
    const slider = page.getByRole("slider", { name: "Bicubic up to here" });
    await slider.fill("90");
    expect(await middle()).toEqual([255, 0, 0]);
    await slider.fill("10");
    expect(await middle()).toEqual([0, 0, 255]);
    const box = (await page.locator("#stage").boundingBox())!;
    await page.mouse.click(box.x + 0.9 * WIDTH, box.y + 10);
    expect(await middle()).toEqual([255, 0, 0]);

    await page.evaluate(axe.source);
    const { violations } = (await page.evaluate("axe.run()")) as { violations: { id: string }[] };
    expect(violations.map(({ id }) => id)).toEqual([]);
    expect(requests.filter((url) => !url.startsWith(address) && !url.startsWith("data:"))).toEqual([]);
    expect(problems).toEqual([]);
    child.kill("SIGINT");
    expect(await once(child, "exit")).toEqual([0, null]);
  });
});

it("another picture is refused", async () => {
  const path = join(await temporaryFolder(), "photo.png");
  await writePicture(path);
  const { code, notes } = await mzsr(["view", path]);
  expect([code, notes]).toEqual([
    2,
    expect.stringMatching(/photo\.png: is no picture of before and after; expected a run folder, or/),
  ]);
});
