/** The examples of the library's README: the compiler accepts them, and Node runs them. */
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { createImage, Draws, initialParameters, readImageSize, writeModel, writePng } from "@mzsr/mzsr";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const run = promisify(execFile);
const root = fileURLToPath(new URL("../..", import.meta.url));
const readme = await readFile(join(root, "packages", "mzsr", "README.md"), "utf8");
const examples = [...readme.matchAll(/^```ts\n(.*?)^```$/gms)].map(([, code]) => code!);

describe("the library's README", () => {
  let folder: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "mzsr-readme-"));
    await symlink(join(root, "node_modules"), join(folder, "node_modules"));
    await writeFile(join(folder, "package.json"), JSON.stringify({ type: "module" }));
    await mkdir(join(folder, "src"));
    for (const [i, code] of examples.entries()) await writeFile(join(folder, "src", `example-${i}.js`), code);
    const draws = new Draws(1, [0, 0, 0]);
    const photo = createImage(24, 32, 3);
    photo.data.forEach((_, i) => {
      photo.data[i] = draws.uniform(0, 1);
    });
    await writePng(join(folder, "photo.png"), photo);
    const architecture = { depth: 3, width: 4 };
    const parameters = initialParameters(architecture, draws);
    const model = { architecture, scale: 2, parameters, innerRates: undefined, metadata: {} };
    await writeModel(join(folder, "model.safetensors"), model);
  });

  afterAll(() => rm(folder, { recursive: true, force: true }));

  it("has ten lines that enlarge a photo before anything else", async () => {
    expect(examples.length).toBe(6);
    expect(examples[0]!.trim().split("\n").filter(Boolean).length).toBeLessThanOrEqual(10);
    await run(process.execPath, [join("src", "example-0.js")], { cwd: folder });
    expect(await readImageSize(join(folder, "photo-x2.png"))).toEqual({ height: 48, width: 64 });
  });

  it("has further examples that run", async () => {
    for (const i of examples.keys()) await run(process.execPath, [join("src", `example-${i}.js`)], { cwd: folder });
    expect((await stat(join(folder, "low.png"))).isFile()).toBe(true);
  });

  it("has examples that the compiler accepts as they are", async () => {
    const compilerOptions = {
      target: "es2022",
      lib: ["es2023", "dom"],
      types: ["node"],
      module: "nodenext",
      strict: true,
      exactOptionalPropertyTypes: true,
      skipLibCheck: true,
      allowJs: true,
      checkJs: true,
      noEmit: true,
    };
    await writeFile(join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions, include: ["src"] }));
    const tsc = join(root, "node_modules", "typescript", "bin", "tsc");
    const { stdout } = await run(process.execPath, [tsc, "-p", folder], { cwd: folder }).catch((error) => error);
    expect(stdout).toBe("");
  });
});
