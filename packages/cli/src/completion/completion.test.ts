/** The scripts in the shells that they are for. */
import { execFile } from "node:child_process";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { temporaryFolder } from "@mzsr/testing/temporary-folder";
import { beforeEach, describe, expect, it } from "vitest";
import { main } from "../main.js";
import { Terminal } from "../progress/terminal.js";

const run = promisify(execFile);

async function scriptFor(shell: string): Promise<string> {
  let out = "";
  const terminal = new Terminal({ write: (text) => (out += text) }, { write: () => undefined });
  expect(await main(["completion", shell], terminal)).toBe(0);
  return out;
}

const has = (program: string) =>
  run(program, ["--version"]).then(
    () => true,
    () => false,
  );
const [hasZsh, hasFish] = await Promise.all(["zsh", "fish"].map(has));

let folder: string;
beforeEach(async () => {
  folder = await temporaryFolder();
  await writeFile(join(folder, "my photo.jpg"), "");
  await mkdir(join(folder, "holiday"));
});

describe("in bash", () => {
  /** What bash offers for the last of these words. */
  async function offered(...words: string[]): Promise<string[]> {
    const typed = words.map((word) => `'${word}'`).join(" ");
    const ask = `COMP_WORDS=(${typed}); COMP_CWORD=${words.length - 1}; _mzsr; printf '%s\\n' "\${COMPREPLY[@]}"`;
    const { stdout } = await run("bash", ["--norc", "-c", `${await scriptFor("bash")}\n${ask}`], { cwd: folder });
    return stdout.split("\n").filter(Boolean).sort();
  }

  it("are offered commands, then the command's options and files", async () => {
    expect(await offered("mzsr", "up")).toEqual(["up", "upscale"]);
    expect(await offered("mzsr", "")).toEqual(expect.arrayContaining(["coordinator", "evaluate", "help", "worker"]));
    expect(await offered("mzsr", "--v")).toEqual(["--version"]);
    expect(await offered("mzsr", "upscale", "--re")).toEqual(["--recursive"]);
    expect(await offered("mzsr", "upscale", "--force", "-")).toEqual(
      expect.arrayContaining(["--model", "--output", "-o"]),
    );
    expect(await offered("mzsr", "upscale", "")).toEqual(["holiday", "my photo.jpg"]);
    expect(await offered("mzsr", "upscale", "a.png", "my")).toEqual(["my photo.jpg"]);
    expect(await offered("mzsr", "help", "ups")).toEqual(["upscale"]);
  });

  it("are offered an option's values, or files where it takes any", async () => {
    expect(await offered("mzsr", "upscale", "a.png", "--downsampling", "")).toEqual(["bicubic", "direct"]);
    expect(await offered("mzsr", "upscale", "--format", "t")).toEqual(["tiff"]);
    expect(await offered("mzsr", "upscale", "--format", "=", "t")).toEqual(["tiff"]);
    expect(await offered("mzsr", "upscale", "--backend", "w")).toEqual(["webgpu"]);
    expect(await offered("mzsr", "up", "--data", "")).toEqual(["holiday", "my photo.jpg"]);
    expect(await offered("mzsr", "completion", "")).toEqual(["bash", "fish", "zsh"]);
    // Of another command, an option of that name takes nothing.
    expect(await offered("mzsr", "doctor", "")).toEqual([]);
  });

  it("are offered no option that the help hides", async () => {
    expect(await offered("mzsr", "upscale", "--back-p")).toEqual(["--back-projection"]);
  });
});

it.skipIf(!hasZsh)(`zsh takes its script ${hasZsh ? "" : "(skipped: no zsh)"}`, async () => {
  await writeFile(join(folder, "_mzsr"), await scriptFor("zsh"));
  await run("zsh", ["-f", "-n", join(folder, "_mzsr")]);
  const load = `fpath=(${folder} $fpath); autoload -Uz compinit; compinit -D -u; autoload +X -Uz _mzsr; print $_comps[mzsr]`;
  expect((await run("zsh", ["-f", "-c", load])).stdout).toBe("_mzsr\n");
});

it.skipIf(!hasFish)(`fish offers what its script says ${hasFish ? "" : "(skipped: no fish)"}`, async () => {
  const path = join(folder, "mzsr.fish");
  await writeFile(path, await scriptFor("fish"));
  const offered = async (line: string) =>
    (await run("fish", ["--no-config", "-c", `source ${path}; complete -C ${JSON.stringify(line)}`], { cwd: folder }))
      .stdout;
  expect(await offered("mzsr ups")).toMatch(/^upscale\t/);
  expect(await offered("mzsr upscale --downsampling ")).toMatch(/bicubic[\s\S]*direct/);
});

it("every shell's script knows every command and option of the help", async () => {
  for (const shell of ["bash", "zsh", "fish"]) {
    const script = await scriptFor(shell);
    for (const word of ["upscale", "coordinator", "back-projection", "downsampling", "tls-cert"]) {
      expect([shell, word, script.includes(word)]).toEqual([shell, word, true]);
    }
    expect(script).not.toContain("back-projections");
  }
});

it("another shell is refused", async () => {
  let notes = "";
  const terminal = new Terminal({ write: () => undefined }, { write: (text) => (notes += text) });
  expect(await main(["completion", "tcsh"], terminal)).toBe(2);
  expect(notes).toMatch(/Allowed choices are bash, zsh, fish/);
});
