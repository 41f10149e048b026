/** First contact: what a user of a fresh clone types, with npm's settings and programs as they may be on a machine. */
import { execFile, spawnSync } from "node:child_process";
import { once } from "node:events";
import { chmod, cp, mkdir, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { hasMzsr } from "@mzsr/testing/mzsr-process";
import { temporaryFolder } from "@mzsr/testing/temporary-folder";
import { describe, expect, onTestFinished, test } from "vitest";

const root = fileURLToPath(new URL("../../", import.meta.url));
const run = promisify(execFile);

/** What of a fresh clone set-up and npm look at; a build that only says that it was run. */
async function freshClone(): Promise<string> {
  const clone = await temporaryFolder();
  const files = ["package.json", "package-lock.json", ".npmrc", "scripts", "packages/cli/bin"];
  for (const name of await readdir(join(root, "packages"))) files.push(`packages/${name}/package.json`);
  for (const file of files) await cp(join(root, file), join(clone, file), { recursive: true });
  await writeFile(join(clone, "scripts/build.mjs"), 'console.log("built");\n');
  return clone;
}

/** A program of that name in `folder`. */
async function program(folder: string, name: string, script: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, name), `#!/bin/sh\n${script}\n`);
  await chmod(join(folder, name), 0o755);
}

/** Where npm is, whose folder need not be that of Node. */
function pathOf(name: string): string {
  return spawnSync("sh", ["-c", `command -v ${name}`], { encoding: "utf8" }).stdout.trim();
}

describe("npx mzsr", () => {
  /** Asks a registry that counts who asks. */
  async function npx(cwd: string): Promise<{ code: number; said: string; asked: number }> {
    let asked = 0;
    const registry = createServer((_, response) => {
      asked++;
      response.writeHead(404).end("{}");
    }).listen(0, "127.0.0.1");
    onTestFinished(() => void registry.close());
    await once(registry, "listening");
    const env = {
      ...process.env,
      npm_config_registry: `http://127.0.0.1:${(registry.address() as AddressInfo).port}/`,
      npm_config_cache: await temporaryFolder(),
    };
    const { code, out } = await run("npx", ["mzsr", "--version"], { cwd, env }).then(
      ({ stdout }) => ({ code: 0, out: stdout }),
      ({ code, stdout, stderr }) => ({ code, out: stdout + stderr }),
    );
    return { code, said: out.trim(), asked };
  }

  test("says in a fresh clone what to run first, and asks no registry for a package of that name", async () => {
    const clone = await freshClone();
    const said = expect.stringMatching(/^mzsr: not built yet.*; run \S+\/scripts\/setup first$/);
    expect(await npx(clone)).toEqual({ code: 1, said, asked: 0 });
  });

  test.skipIf(!hasMzsr())("runs after the set-up, in the clone and below it", async () => {
    const { version } = JSON.parse(await readFile(join(root, "package.json"), "utf8"));
    expect(await npx(root)).toEqual({ code: 0, said: version, asked: 0 });
    expect(await npx(join(root, "docs"))).toEqual({ code: 0, said: version, asked: 0 });
  });
});

describe("scripts/setup", () => {
  interface Setup {
    readonly code: number | null;
    readonly said: string;
  }

  /** With a program `npm` that runs `script`; no other program is missing. */
  async function setUp(clone: string, script: string, env: Readonly<Record<string, string>> = {}): Promise<Setup> {
    const programs = join(clone, "programs");
    await program(programs, "npm", script);
    await program(programs, "nats-server", "");
    const { status, stdout, stderr } = spawnSync(join(clone, "scripts/setup"), {
      env: { ...process.env, ...env, PATH: programs + delimiter + process.env.PATH },
      encoding: "utf8",
    });
    return { code: status, said: stdout + stderr };
  }

  /** What npm leaves: packages by name and version, its record of them, and a command. Without `leave`. */
  async function installed(clone: string, leave: (path: string) => boolean = () => false): Promise<void> {
    const record = JSON.parse(await readFile(join(root, "node_modules/.package-lock.json"), "utf8"));
    const paths = Object.keys(record.packages).filter((path) => path.startsWith("node_modules/"));
    for (const path of paths) {
      if (leave(path)) delete record.packages[path];
      else
        await mkdir(join(clone, path), { recursive: true }).then(() =>
          writeFile(join(clone, path, "package.json"), "{}"),
        );
    }
    await writeFile(join(clone, "node_modules/.package-lock.json"), JSON.stringify(record));
    await mkdir(join(clone, "node_modules/.bin"), { recursive: true });
    await symlink("../../packages/cli/bin/mzsr.js", join(clone, "node_modules/.bin/mzsr"));
  }

  const REFUSES = "echo npm was asked >&2; exit 1";

  test("installs nothing where all is there, and builds", async () => {
    const clone = await freshClone();
    await installed(clone);
    expect(await setUp(clone, REFUSES)).toEqual({ code: 0, said: "built\n" });
  });

  test.each([
    ["development packages were left out", (path: string) => path === "node_modules/vitest"],
    ["native code is of another machine", (path: string) => path.startsWith("node_modules/@typescript/")],
  ])("installs again where %s, and is then content", async (_, leave) => {
    const [clone, whole] = [await freshClone(), await freshClone()];
    await installed(clone, leave);
    await installed(whole);
    const npm = `rm -rf node_modules && cp -a ${whole}/node_modules node_modules`;
    expect(await setUp(clone, npm)).toEqual({ code: 0, said: expect.stringContaining("installing npm packages") });
    expect(await setUp(clone, REFUSES)).toEqual({ code: 0, said: "built\n" });
  });

  test("is content with a version that npm recorded as the package itself writes it", async () => {
    const clone = await freshClone();
    await installed(clone);
    const file = join(clone, "node_modules/.package-lock.json");
    const record = JSON.parse(await readFile(file, "utf8"));
    record.packages["node_modules/vitest"].version = `v${record.packages["node_modules/vitest"].version}`;
    await writeFile(file, JSON.stringify(record));
    expect(await setUp(clone, REFUSES)).toEqual({ code: 0, said: "built\n" });
  });

  test("installs again after an installation that was stopped", async () => {
    const clone = await freshClone();
    await installed(clone);
    await rm(join(clone, "node_modules/.package-lock.json"));
    expect(await setUp(clone, REFUSES)).toEqual({ code: 1, said: expect.stringContaining("npm was asked") });
  });

  // What npm would do, by npm itself; and since it then does nothing, what set-up says to that.
  test("has npm install what is for development under NODE_ENV=production, and never takes a part for the whole", async () => {
    const clone = await freshClone();
    const settings = { NODE_ENV: "production", npm_config_omit: "dev", npm_config_cache: await temporaryFolder() };
    const { code, said } = await setUp(clone, `exec "${pathOf("npm")}" "$@" --dry-run --offline`, settings);
    expect(said).toMatch(/^add vitest /m);
    expect(said).toMatch(/^setup: npm ci left out \d+ packages, node_modules\/\S+ for one/m);
    expect(code).toBe(1);
  });

  test("refuses an option that it does not know", async () => {
    const { status, stderr } = spawnSync(join(root, "scripts/setup"), ["--tset"], { encoding: "utf8" });
    expect([status, stderr]).toEqual([2, expect.stringContaining("--test")]);
  });
});

describe("scripts/programs", () => {
  const ON_LINUX = ["ip", "slurmctld", "slurmd", "munged", "systemd-analyze"];
  const ALL = ["nats-server", "prometheus", "promtool", "go", ...ON_LINUX];
  /** What the script itself uses. */
  const TOOLS = ["sh", "mktemp", "rm", "tail"];

  /** A machine that has the programs named, and apt-get, which installs what it can. */
  async function machine(has: readonly string[], user: number, unknown = "none"): Promise<string> {
    const folder = await temporaryFolder();
    for (const name of TOOLS) await symlink(pathOf(name), join(folder, name));
    for (const name of has) await program(folder, name, "");
    await program(folder, "id", `echo ${user}`);
    await program(folder, "uname", "echo Linux");
    // Debian's package golang-go has the program go; prometheus also promtool.
    await program(
      folder,
      "apt-get",
      `PATH=${dirname(pathOf("ln"))}:$PATH
echo "$@" >>${folder}/asked
case "$*" in *${unknown}*) echo "E: Unable to locate package ${unknown}"; exit 100 ;; esac
case "$*" in *golang-go*) ln -sf ${folder}/id ${folder}/go ;; esac
case "$*" in *prometheus*) ln -sf ${folder}/id ${folder}/prometheus; ln -sf ${folder}/id ${folder}/promtool ;; esac`,
    );
    return folder;
  }

  function programs(folder: string, ...args: string[]): { code: number | null; said: string } {
    const env = { PATH: folder, CHROMIUM: process.execPath };
    const { status, stderr } = spawnSync(join(root, "scripts/programs"), args, { env, encoding: "utf8" });
    return { code: status, said: stderr.trim() };
  }

  test("says and asks nothing where all is there", async () => {
    const folder = await machine(ALL, 0);
    expect(programs(folder, "--test")).toEqual({ code: 0, said: "" });
    expect(await readdir(folder)).not.toContain("asked");
  });

  test("leaves to the tests what only they use", async () => {
    expect(programs(await machine(["nats-server"], 0))).toEqual({ code: 0, said: "" });
  });

  test("installs what is missing as root on Debian, once, saying what", async () => {
    const folder = await machine(["nats-server", ...ON_LINUX], 0);
    const said = expect.stringMatching(/^setup: installing prometheus golang-go .*$/);
    expect(programs(folder, "--test")).toEqual({ code: 0, said });
    expect(programs(folder, "--test")).toEqual({ code: 0, said: "" });
    expect((await readFile(join(folder, "asked"), "utf8")).trim().split("\n")).toHaveLength(1);
  });

  test("installs the others where one cannot be had, names that one, and goes on", async () => {
    const folder = await machine(["nats-server", ...ON_LINUX], 0, "golang-go");
    const { code, said } = programs(folder, "--test");
    expect([code, said]).toEqual([0, expect.stringMatching(/could not be installed: golang-go \(E: Unable to locate/)]);
    expect(await readdir(folder)).toContain("promtool");
  });

  test("says in one line what to install to those who cannot", async () => {
    const folder = await machine(["nats-server", ...ON_LINUX], 1000);
    const said =
      "setup: not installed: prometheus golang-go; tests that need them are skipped (Debian, Ubuntu: sudo apt-get install prometheus golang-go)";
    expect(programs(folder, "--test")).toEqual({ code: 0, said });
    expect(await readdir(folder)).not.toContain("asked");
  });
});

test("continuous integration and npm test have no list of programs of their own", async () => {
  const names = /apt-get|chromium|golang|iproute2|nats-server|slurm|systemd/;
  expect(await readFile(join(root, ".ci/run"), "utf8")).not.toMatch(names);
  expect(JSON.parse(await readFile(join(root, "package.json"), "utf8")).scripts.test).toMatch(
    /^scripts\/setup --test &&/,
  );
});
