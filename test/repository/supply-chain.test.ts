/** What comes from npm: whole, under licences that were read, and running nothing when it is installed. */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const root = fileURLToPath(new URL("../..", import.meta.url));
const read = (path: string) => readFileSync(`${root}/${path}`, "utf8");

interface LockEntry {
  readonly integrity?: string;
  readonly link?: boolean;
  readonly hasInstallScript?: boolean;
}

const lock = JSON.parse(read("package-lock.json")) as { readonly packages: Readonly<Record<string, LockEntry>> };
const installed = Object.entries(lock.packages).filter(([path, { link }]) => path.includes("node_modules/") && !link);

test("every package is pinned to its content", () => {
  const unpinned = installed.filter(([, { integrity }]) => !/^sha512-[\w+/]{86}==$/.test(integrity ?? ""));
  expect(unpinned.map(([path]) => path)).toEqual([]);
});

test("packages that would run something when they are installed are named, and run nothing", () => {
  const { allowScripts } = JSON.parse(read("package.json")) as { readonly allowScripts: Record<string, boolean> };
  const withScripts = installed.filter(([, { hasInstallScript }]) => hasInstallScript === true);
  const names = new Set(withScripts.map(([path]) => path.slice(path.lastIndexOf("node_modules/") + 13)));
  expect([...names].sort()).toEqual(Object.keys(allowScripts).sort());
  expect(Object.values(allowScripts).filter((allowed) => allowed)).toEqual([]);
});

test("set-up and images run no package's scripts but those of TensorFlow's binding, which fetches its library", () => {
  for (const file of ["scripts/setup", "deploy/docker/Dockerfile"]) {
    const commands = read(file).match(/^(?: {2}|RUN )[^#"\n]*\bnpm (?:ci|install)\b[^\n]*/gm) ?? [];
    expect(commands.length).toBeGreaterThan(0);
    const running = commands.filter((command) => !command.includes("--ignore-scripts"));
    expect(running.filter((command) => !command.includes("@tensorflow/tfjs-node-gpu@"))).toEqual([]);
  }
});

/** Licences that ask for no more than to be named. */
const PERMISSIVE = ["MIT", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "ISC", "0BSD", "Unlicense", "CC0-1.0"];
/** Of what is used while developing, and of the page's typeface. */
const WHILE_DEVELOPING = [...PERMISSIVE, "MPL-2.0", "Python-2.0", "OFL-1.1"];
/** libvips: a library of its own, linked at run time, that whoever has the images may replace. */
const LIBVIPS = /^@img\/sharp-/;

interface Component {
  readonly name: string;
  readonly licenses?: readonly { readonly license?: { readonly id?: string }; readonly expression?: string }[];
}

/** What npm's bill of materials says of each package: its name and its licences. */
function licences(...omitted: string[]): [name: string, licence: string][] {
  const args = ["sbom", "--sbom-format", "cyclonedx", "--package-lock-only", "--offline", ...omitted];
  const bill = execFileSync("npm", args, { cwd: root, encoding: "utf8", maxBuffer: 2 ** 26 });
  const { components } = JSON.parse(bill) as { readonly components: readonly Component[] };
  return components.map(({ name, licenses = [] }) => {
    const said = licenses.map(({ license, expression }) => license?.id ?? expression ?? "");
    return [name, said.join(" AND ")];
  });
}

/** Whether an SPDX expression can be kept to with the licences that are allowed. */
function allowed(expression: string, among: readonly string[]): boolean {
  const plain = expression.replace(/[()]/g, "");
  return plain.split(" AND ").every((part) => part.split(" OR ").some((licence) => among.includes(licence)));
}

test("what is shipped is under licences that ask for no more than to be named, but for libvips", () => {
  const unknown = licences("--omit", "dev").filter(
    ([name, licence]) => !allowed(licence, LIBVIPS.test(name) ? [...PERMISSIVE, "LGPL-3.0-or-later"] : PERMISSIVE),
  );
  expect(unknown).toEqual([]);
});

test("what is used while developing is under licences that were read", () => {
  const unknown = licences().filter(
    ([name, licence]) =>
      !allowed(licence, LIBVIPS.test(name) ? [...PERMISSIVE, "LGPL-3.0-or-later"] : WHILE_DEVELOPING),
  );
  expect(unknown).toEqual([]);
});

test("every image holds a bill of what it was made from, and a release publishes it", () => {
  const dockerfile = read("deploy/docker/Dockerfile");
  const stages = dockerfile.match(/^FROM \S+ AS production[\w-]*\n(?:(?!^FROM ).*\n)*/gm) ?? [];
  expect(stages).toHaveLength(3);
  for (const stage of stages) expect(stage).toContain("npm sbom --sbom-format cyclonedx --omit dev > sbom.cdx.json");
  expect(read(".github/workflows/release.yml")).toContain("/app/sbom.cdx.json");
});
