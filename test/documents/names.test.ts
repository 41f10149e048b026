/** The documents call things by the names that they have: commands, options, metrics, configuration keys, variables, files. */
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { buildProgram, Terminal } from "@mzsr/cli";
import { configurationKeys } from "@mzsr/shared";
import { expect, test } from "vitest";

const root = fileURLToPath(new URL("../..", import.meta.url));
const files = execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard"], {
  cwd: root,
  encoding: "utf8",
})
  .trim()
  .split("\n")
  .filter((file) => existsSync(join(root, file)));
const pages = files.filter((file) => file.endsWith(".md"));

const silent = { isTTY: false, columns: 120, write: () => true };
const program = buildProgram(new Terminal(silent, silent));
const commands = new Map(program.commands.map((command) => [command.name(), optionsOf(command)]));
const allOptions = new Set(["--version", ...[...commands.values()].flatMap((options) => [...options])]);

/** Of other programs that the documents call: Compose, TensorBoard, bench, chaos, SLURM. */
const FOREIGN_OPTIONS = new Set([
  ...["--profile", "--samples_per_plugin", "--rounds", "--minutes"],
  ...["--ignore-scripts", "--build", "--registry", "--cpus-per-task", "--signal", "--gres", "--gpu-bind"],
]);

test("commands of mzsr exist, and have the options that are given to them", () => {
  const calls = pages.flatMap((page) => codeOf(page).map((code) => ({ page, code })));
  const unknown = calls.flatMap(({ page, code }) =>
    [...code.matchAll(/(?<![\w/@.=-]|-n )mzsr ([a-z]+(?:-[a-z]+)*)\b([^|;&]*)/g)].flatMap(([, name, rest]) => {
      const options = commands.get(name!);
      if (options === undefined) return [`${page}: mzsr ${name}`];
      const given = [...rest!.matchAll(/(?<![\w-])--?[a-z][\w-]*/g)].map(([option]) => option);
      return given.filter((option) => !options.has(option)).map((option) => `${page}: mzsr ${name} ${option}`);
    }),
  );
  expect(unknown).toEqual([]);
});

test("options that are named alone are some command's", () => {
  const unknown = spansMatching(/^(--[a-z][\w-]*)/).filter(
    ([, option]) => !allOptions.has(option) && !FOREIGN_OPTIONS.has(option),
  );
  expect(unknown).toEqual([]);
});

test("metrics are served under the names that they are given", () => {
  const sources = files.filter(
    (file) => /^(packages\/\w+\/src|deploy)\/.*\.(ts|yaml|yml)$/.test(file) && !file.endsWith(".test.ts"),
  );
  const text = sources.map(textOf).join("\n");
  const served = new Set([...text.matchAll(/mzsr_\w+/g)].map(([name]) => name));
  for (const [, name] of text.matchAll(/\bname\("(\w+)"\)/g)) served.add(`mzsr_worker_${name}`);
  // Compose's volume.
  served.add("mzsr_runs");
  expect(spansMatching(/^(mzsr_[a-z_]*[a-z])/).filter(([, name]) => !served.has(name))).toEqual([]);
});

test("configuration keys are the schema's", () => {
  const keys = configurationKeys().map(({ path }) => path);
  const groups = new Set(keys.filter((key) => key.includes(".")).map((key) => key.split(".")[0]!));
  const unknown = spansMatching(/^([a-z][A-Za-z]*\.[a-z][A-Za-z]*)(?:[:= ].*)?$/).filter(
    ([, key]) => key !== "model.safetensors" && groups.has(key.split(".")[0]!) && !keys.includes(key),
  );
  expect(unknown).toEqual([]);
});

test("environment variables are read somewhere", () => {
  const readers = files.filter((file) =>
    /^(packages|deploy|scripts|test)\/.*\.(ts|mjs|yaml|example|sh|sbatch)$/.test(file),
  );
  const text = readers.map(textOf).join("\n");
  const unknown = pages.flatMap((page) =>
    [...textOf(page).matchAll(/\bMZSR_[A-Z_]*[A-Z]\b/g)]
      .filter(([name]) => !text.includes(name))
      .map(([name]) => `${page}: ${name}`),
  );
  expect(unknown).toEqual([]);
});

test("source files that are named by the end of their path are there", () => {
  const unknown = spansMatching(/^([\w./-]+\.(?:ts|tsx|mjs|proto))$/).filter(
    // A pattern of names, not a file's.
    ([, path]) => path !== "x.test.ts" && !files.some((file) => file === path || file.endsWith(`/${path}`)),
  );
  expect(unknown).toEqual([]);
});

/** Inline code of all pages that begins so: the page, and what the first group found. */
function spansMatching(pattern: RegExp): [string, string][] {
  return pages.flatMap((page) =>
    codeOf(page).flatMap((code): [string, string][] => {
      const found = pattern.exec(code)?.[1];
      return found === undefined ? [] : [[page, found]];
    }),
  );
}

/** Inline code, and the lines of code blocks without their remarks; a line that goes on is one. */
function codeOf(page: string): string[] {
  const text = textOf(page);
  const blocks = [...text.matchAll(/^```\w*\n(.*?)^```/gms)].map(([, block]) => block!.replace(/\\\n\s*/g, " "));
  const prose = text.replace(/^```\w*\n.*?^```/gms, "");
  // Usage: what stands further right belongs to the line above, and | separates choices.
  const usage = [...prose.matchAll(/(?:^ {4}.*\n)+/gm)].map(([block]) =>
    block.replace(/\n {8,}/g, " ").replace(/\|(?! mzsr)/g, " "),
  );
  const lines = [...blocks, ...usage]
    .flatMap((block) => block.split("\n"))
    .map((line) => line.replace(/(^|\s)#.*$/, ""));
  return [...lines, ...[...prose.matchAll(/`([^`]+)`/g)].map(([, span]) => span!.replace(/\s+/g, " "))];
}

function optionsOf(command: (typeof program.commands)[number]): Set<string> {
  const named = command.options.flatMap(({ long, short }) => [long, short]);
  return new Set(["--help", "-h", ...named.filter((name) => name !== undefined && name !== null)]);
}

function textOf(file: string): string {
  return readFileSync(join(root, file), "utf8");
}
