/** Who imports whom (docs/architecture.md): arrows point down, packages are entered by their face, files form no circle. */
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** For each package, the packages that its program may import. */
const BELOW: Readonly<Record<string, readonly string[]>> = {
  cli: ["coordinator", "worker", "shared", "mzsr"],
  coordinator: ["shared", "mzsr"],
  worker: ["shared", "mzsr", "tfjs-backend-simd", "engine-webgpu"],
  dashboard: ["shared"],
  shared: ["mzsr"],
  mzsr: [],
  "engine-webgpu": ["mzsr"],
  "tfjs-backend-simd": [],
};

/** What a package offers beside its face. */
const FACES: Readonly<Record<string, readonly string[]>> = { mzsr: ["./numeric"] };

interface Import {
  readonly file: string;
  readonly specifier: string;
}

const files = execFileSync(
  "git",
  ["ls-files", "--cached", "--others", "--exclude-standard", ":(glob)packages/*/src/**"],
  {
    cwd: root,
    encoding: "utf8",
  },
)
  .split("\n")
  .filter((file) => /\.tsx?$/.test(file) && !/\.test\.tsx?$|\/testing\//.test(file) && existsSync(join(root, file)));

const imports = files.flatMap((file) => importsOf(file));

describe("imports", () => {
  it("are found: every package has files, and they import", () => {
    expect(new Set(files.map(packageOf))).toEqual(new Set(Object.keys(BELOW)));
    expect(imports.length).toBeGreaterThan(files.length);
  });

  it("of another package go down, and through its face", () => {
    const bad = imports.filter(({ file, specifier }) => {
      const [, name, path = ""] = /^@mzsr\/([\w-]+)(\/.*)?$/.exec(specifier) ?? [];
      if (name === undefined) return leavesItsPackage(file, specifier);
      return !BELOW[packageOf(file)]?.includes(name) || (path !== "" && !FACES[name]?.includes(`.${path}`));
    });
    expect(bad).toEqual([]);
  });

  it("form no circle, types included", () => {
    expect(circles(imports)).toEqual([]);
  });

  it("of commands' folders go down", () => {
    const bad = imports.filter(({ file, specifier }) => {
      const [from, to] = [file, targetOf(file, specifier) ?? ""].map(
        (path) => /^packages\/cli\/src\/([\w-]+)\//.exec(path)?.[1],
      );
      return from !== undefined && to === "commands" && from !== "commands";
    });
    expect(bad).toEqual([]);
  });

  it("of the numeric face reach neither modules nor globals of Node's, so that a browser can use it", () => {
    const { reached, outside } = reachedFrom("packages/mzsr/src/numeric.ts");
    expect([...outside]).toEqual(["@tensorflow/tfjs-core"]);
    expect(reached.size).toBeGreaterThan(20);
    expect([...reached].filter(usesNodeGlobals)).toEqual([]);
  });

  it("of the backend reach neither modules nor globals of Node's", () => {
    const { reached, outside } = reachedFrom("packages/tfjs-backend-simd/src/index.ts");
    expect([...outside]).toEqual(["@tensorflow/tfjs-core"]);
    expect([...reached].filter(usesNodeGlobals)).toEqual([]);
  });

  it("of scripts are what the packages offer: no compiler looks at them", async () => {
    const scripts = execFileSync("git", ["ls-files", "*.mjs"], { cwd: root, encoding: "utf8" }).split("\n");
    const bad: string[] = [];
    let looked = 0;
    for (const file of scripts.filter((each) => each !== "" && existsSync(join(root, each)))) {
      for (const { names, specifier } of namedImportsOf(file)) {
        const offered = Object.keys(await import(specifier).catch(() => ({})));
        bad.push(...names.filter((name) => !offered.includes(name)).map((name) => `${file}: ${name} of ${specifier}`));
        looked += names.length;
      }
    }
    expect(looked).toBeGreaterThan(20);
    expect(bad).toEqual([]);
  });
});

/** What a script imports by name from our packages. */
function namedImportsOf(file: string): { names: string[]; specifier: string }[] {
  const statements = readFileSync(join(root, file), "utf8").matchAll(/^import \{([^}]*)\} from "(@mzsr\/[^"]+)"/gm);
  return [...statements].map(([, names = "", specifier = ""]) => ({
    specifier,
    names: names.split(",").flatMap((name) => name.trim().split(" as ")[0] || []),
  }));
}

/** The files that a program loads with `entry`, and the other packages and modules that they import. */
function reachedFrom(entry: string): { reached: Set<string>; outside: Set<string> } {
  const reached = new Set<string>();
  const outside = new Set<string>();
  const visit = (file: string): void => {
    if (reached.has(file)) return;
    reached.add(file);
    for (const { specifier } of importsOf(file, "values")) {
      const target = targetOf(file, specifier);
      if (target === undefined) outside.add(specifier);
      else visit(target);
    }
  };
  visit(entry);
  return { reached, outside };
}

function usesNodeGlobals(file: string): boolean {
  const text = readFileSync(join(root, file), "utf8").replaceAll(/\/\*.*?\*\/|\/\/[^\n]*/gs, "");
  return /\b(Buffer|process|require|setImmediate|__dirname|global)\b/.test(text);
}

/** @param which types only matter to the compiler; `values` are what a program loads */
function importsOf(file: string, which: "all" | "values" = "all"): Import[] {
  const text = readFileSync(join(root, file), "utf8");
  const statements = text.matchAll(/^(?:import|export)( type)?\s(?:([^"';]*?)\sfrom\s)?"([^"]+)"/gm);
  const found = [...statements].filter(([, type, names = ""]) => which === "all" || !(type || allTypes(names)));
  const dynamic = [...text.matchAll(/\bimport\("([^"]+)"\)/g)].map(([, specifier]) => specifier!);
  return [...found.map(([, , , specifier]) => specifier!), ...dynamic].map((specifier) => ({ file, specifier }));
}

/** `{ type A, type B }`, which leaves nothing to load. */
function allTypes(names: string): boolean {
  const list = /^\{(.*)\}$/s.exec(names.trim())?.[1];
  if (list === undefined) return false;
  const parts = list.split(",").map((part) => part.trim());
  return parts.filter(Boolean).every((part) => part.startsWith("type "));
}

function packageOf(file: string): string {
  return file.split("/")[1]!;
}

function leavesItsPackage(file: string, specifier: string): boolean {
  if (!specifier.startsWith(".")) return false;
  const target = relative(root, join(root, dirname(file), specifier));
  return !target.startsWith(`packages/${packageOf(file)}/`);
}

/** The file of the same package that is imported. */
function targetOf(file: string, specifier: string): string | undefined {
  if (!specifier.startsWith(".")) return undefined;
  const path = join(dirname(file), specifier).replace(/\.js$/, "");
  return [`${path}.ts`, `${path}.tsx`].find((candidate) => existsSync(join(root, candidate)));
}

/** Every circle once, as the files along it. */
function circles(all: readonly Import[]): string[][] {
  const next = new Map<string, string[]>();
  for (const { file, specifier } of all) {
    const target = targetOf(file, specifier);
    if (target !== undefined) next.set(file, [...(next.get(file) ?? []), target]);
  }
  const found: string[][] = [];
  const done = new Set<string>();
  const visit = (file: string, path: readonly string[]): void => {
    const at = path.indexOf(file);
    if (at >= 0) found.push(path.slice(at));
    if (at >= 0 || done.has(file)) return;
    for (const target of next.get(file) ?? []) visit(target, [...path, file]);
    done.add(file);
  };
  for (const file of next.keys()) visit(file, []);
  return found;
}
