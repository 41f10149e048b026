/** The packages as npm would publish them, installed and used in a folder that knows nothing of the repository. */
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { createImage, Draws, initialParameters, readImageSize, writeModel, writePng } from "@mzsr/mzsr";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const run = promisify(execFile);
const root = fileURLToPath(new URL("../..", import.meta.url));
const names = await publicPackages();
const unreachable = await whyNoRegistry();

describe("every package that is not private", () => {
  it("says what it is, has a licence and a README, and where it lies", async () => {
    expect(names.sort()).toEqual(
      [
        "cli",
        "coordinator",
        "dashboard",
        "engine-webgpu",
        "model-x2",
        "mzsr",
        "shared",
        "tfjs-backend-simd",
        "worker",
      ].sort(),
    );
    for (const name of names) {
      expect(await manifestOf(name)).toMatchObject({
        version: (await manifestOf("cli")).version,
        description: expect.stringMatching(/./),
        license: "Apache-2.0",
        repository: { type: "git", directory: `packages/${name}` },
        files: expect.arrayContaining([name === "model-x2" ? "model.safetensors" : "dist"]),
      });
      expect(await readFile(join(root, "packages", name, "README.md"), "utf8")).toContain("npm install");
    }
  });
});

describe.skipIf(unreachable)(`the packages, installed from their tarballs ${unreachable}`, () => {
  let folder: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "mzsr-packages-"));
    const workspaces = names.flatMap((name) => ["--workspace", `packages/${name}`]);
    await run("npm", ["pack", "--silent", "--pack-destination", folder, ...workspaces], { cwd: root });
    const tarballs = (await readdir(folder)).filter((name) => name.endsWith(".tgz"));
    expect(tarballs.length).toBe(names.length);
    await writeFile(join(folder, "package.json"), JSON.stringify({ private: true, type: "module" }));
    const install = ["install", "--prefer-offline", "--no-audit", "--no-fund", ...tarballs.map((name) => `./${name}`)];
    await run("npm", install, { cwd: folder });
    await writeFixtures(folder);
  }, 240_000);

  afterAll(() => rm(folder, { recursive: true, force: true }));

  const mzsr = async (...args: string[]) => run(join(folder, "node_modules", ".bin", "mzsr"), args, { cwd: folder });

  it("hold what runs and its types, and no leftovers of the build", async () => {
    for (const name of names) {
      const installed = join(folder, "node_modules", "@mzsr", name);
      expect((await stat(installed)).isDirectory()).toBe(true);
      const files = await readdir(installed, { recursive: true });
      expect(files).toEqual(expect.arrayContaining(["LICENSE", "README.md", "package.json"]));
      expect(files.filter((file) => /tsbuildinfo|\.map$|testing|\.test\./.test(file))).toEqual([]);
    }
  });

  it("have a command that says its version and what it finds, and enlarges a photo", async () => {
    expect((await mzsr("--version")).stdout).toBe(`${(await manifestOf("cli")).version}\n`);
    expect((await mzsr("doctor")).stdout).toContain("simd");
    const [from, to] = [join(folder, "photo.png"), join(folder, "large.png")];
    await mzsr("upscale", from, "--model", "model.safetensors", "--kernel", "g2.0", "--updates", "1", "-o", to);
    expect(await readImageSize(to)).toEqual({ height: 48, width: 64 });
  }, 180_000);

  it("have a library that enlarges a photo to the same bytes", async () => {
    await writeFile(join(folder, "enlarge.js"), PROGRAM);
    await run(process.execPath, ["enlarge.js"], { cwd: folder });
    const [theirs, ours] = await Promise.all(["large.png", "library.png"].map((name) => readFile(join(folder, name))));
    expect(ours!.equals(theirs!)).toBe(true);
  });

  it("let the coordinator find the page", async () => {
    const program = `
      const { startViewServer } = await import("@mzsr/coordinator");
      const view = await startViewServer({ runs: ["run"], host: "127.0.0.1", port: 0, onError: console.error });
      console.log(await (await fetch(view.url)).text());
      await view.stop();`;
    await mkdir(join(folder, "run"));
    await writeFile(join(folder, "run", "config.yaml"), "backend: simd\n");
    await writeFile(join(folder, "view.js"), program);
    expect((await run(process.execPath, ["view.js"], { cwd: folder })).stdout).toContain("<!doctype html>");
  });
});

const PROGRAM = `
import { gaussianKernel, PAPER_KERNELS, readImage, readModel, superResolve, writePng } from "@mzsr/mzsr";
import { setBackend } from "@tensorflow/tfjs-core";
import "@mzsr/tfjs-backend-simd";

await setBackend("simd");
const [photo, model] = [await readImage("photo.png"), await readModel("model.safetensors")];
const kernel = gaussianKernel(PAPER_KERNELS["g2.0"]);
const { image } = await superResolve(model, photo, { degradation: { kernel, downsampling: "direct" }, updates: 1 });
await writePng("library.png", image);
`;

/** A photo of noise, and a model that has learned nothing. */
async function writeFixtures(folder: string): Promise<void> {
  const draws = new Draws(1, [0, 0, 0]);
  const photo = createImage(24, 32, 3);
  photo.data.forEach((_, i) => {
    photo.data[i] = draws.uniform(0, 1);
  });
  await writePng(join(folder, "photo.png"), photo);
  const architecture = { depth: 3, width: 4 };
  const parameters = initialParameters(architecture, draws);
  await writeModel(join(folder, "model.safetensors"), {
    architecture,
    scale: 2,
    parameters,
    innerRates: undefined,
    metadata: {},
  });
}

interface Manifest {
  readonly version: string;
  readonly private?: boolean;
}

async function manifestOf(name: string): Promise<Manifest> {
  return JSON.parse(await readFile(join(root, "packages", name, "package.json"), "utf8"));
}

async function publicPackages(): Promise<string[]> {
  const all = await readdir(join(root, "packages"));
  const manifests = await Promise.all(all.map(manifestOf));
  return all.filter((_, i) => !manifests[i]!.private);
}

/** Empty where npm's registry answers; else what a skipped suite says. */
async function whyNoRegistry(): Promise<string> {
  const found = await run("npm", ["ping", "--fetch-retries=0", "--fetch-timeout=10000"]).catch(() => undefined);
  return found === undefined ? "(skipped: npm's registry does not answer)" : "";
}
