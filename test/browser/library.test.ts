/** The library's numeric face in a real browser: bundled as a page's author would, it computes Node's bits. */
import { writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import {
  createImage,
  Draws,
  encodeModel,
  gaussianKernel,
  type Image,
  initialParameters,
  type Model,
  PAPER_KERNELS,
  superResolve,
} from "@mzsr/mzsr";
import { CHROMIUM_NOTE, hasChromium, launchChromium, openPage } from "@mzsr/testing/chromium";
import { temporaryFolder } from "@mzsr/testing/temporary-folder";
import { setBackend } from "@tensorflow/tfjs-core";
import { build, type Plugin } from "vite";
import { describe, expect, it, onTestFinished } from "vitest";
import "@mzsr/tfjs-backend-simd";

const root = fileURLToPath(new URL("../..", import.meta.url));
const UPDATES = 3;

/** What the page does with the bytes of a model and the samples of a photo. */
const PAGE_PROGRAM = `
import { createImage, decodeModel, gaussianKernel, PAPER_KERNELS, superResolve } from "@mzsr/mzsr/numeric";
import { setBackend } from "@tensorflow/tfjs-core";
import "@mzsr/tfjs-backend-simd";

globalThis.enlargeHere = async ({ model, height, width, samples, updates }) => {
  await setBackend("simd");
  const photo = createImage(height, width, 3, Float32Array.from(samples));
  const degradation = { kernel: gaussianKernel(PAPER_KERNELS["gani"]), downsampling: "direct" };
  const options = { degradation, updates, backProjections: 1 };
  const { image, adaptation } = await superResolve(decodeModel(Uint8Array.from(model), "model"), photo, options);
  return { height: image.height, width: image.width, samples: [...image.data], losses: adaptation.losses };
};
`;

describe.skipIf(!hasChromium)(`the library in a browser ${CHROMIUM_NOTE}`, () => {
  it("adapts to a photo and enlarges it with the bits of Node's result", async () => {
    const { photo, model } = problem();
    const page = await pageWith(await bundle());
    const input = {
      model: [...encodeModel(model)],
      ...photo,
      data: undefined,
      samples: [...photo.data],
      updates: UPDATES,
    };
    const theirs = await page.evaluate((given) => {
      const { enlargeHere } = globalThis as unknown as { enlargeHere(problem: unknown): Promise<BrowserResult> };
      return enlargeHere(given);
    }, input);

    await setBackend("simd");
    const degradation = { kernel: gaussianKernel(PAPER_KERNELS.gani), downsampling: "direct" } as const;
    const ours = await superResolve(model, photo, { degradation, updates: UPDATES, backProjections: 1 });
    expect([theirs.height, theirs.width]).toEqual([ours.image.height, ours.image.width]);
    expect(theirs.losses).toEqual(ours.adaptation.losses);
    expect(bytesOf(Float32Array.from(theirs.samples)).equals(bytesOf(ours.image.data))).toBe(true);
    expect(new Set(theirs.losses).size).toBe(UPDATES);
  });
});

interface BrowserResult {
  readonly height: number;
  readonly width: number;
  readonly samples: number[];
  readonly losses: number[];
}

/** A photo of noise and a model that has learned nothing. */
function problem(): { photo: Image; model: Model } {
  const draws = new Draws(3, [0, 0, 0]);
  const photo = createImage(37, 50, 3);
  photo.data.forEach((_, i) => {
    photo.data[i] = draws.uniform(0, 1);
  });
  const architecture = { depth: 4, width: 8 };
  const parameters = initialParameters(architecture, draws);
  return { photo, model: { architecture, scale: 2, parameters, innerRates: undefined, metadata: {} } };
}

/** The page's program and all that it imports as one script. */
async function bundle(): Promise<string> {
  const entry = join(await temporaryFolder(), "page.js");
  await writeFile(entry, PAGE_PROGRAM);
  const result = await build({
    root,
    configFile: false,
    logLevel: "error",
    plugins: [fromRepository],
    build: { write: false, target: "es2022", lib: { entry, formats: ["iife"], name: "page" } },
  });
  const [{ output }] = result as unknown as [{ output: { code: string }[] }];
  return output[0]!.code;
}

/** The program lies outside the repository, whose packages it imports. */
const fromRepository: Plugin = {
  name: "from-repository",
  enforce: "pre",
  resolveId(specifier, importer) {
    if (!importer?.endsWith("page.js")) return null;
    return this.resolve(specifier, fileURLToPath(import.meta.url), { skipSelf: true });
  },
};

/** A page over HTTP with a script on it, which has no problem with that. */
async function pageWith(script: string) {
  const server = createServer((request, response) => {
    const isScript = request.url === "/script.js";
    response.setHeader("content-type", isScript ? "text/javascript; charset=utf-8" : "text/html; charset=utf-8");
    response.end(isScript ? script : '<!doctype html><link rel="icon" href="data:,"><script src="script.js"></script>');
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  const browser = await launchChromium();
  onTestFinished(() => browser.close());
  const watched = await openPage(browser);
  await watched.page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
  expect(watched.problems).toEqual([]);
  return watched.page;
}

function bytesOf(values: Float32Array): Buffer {
  return Buffer.from(values.buffer, values.byteOffset, values.byteLength);
}
