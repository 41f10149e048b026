import { readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";

interface LockEntry {
  readonly version?: string;
  readonly resolved?: string;
  readonly link?: boolean;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

const lock = JSON.parse(await readFile(new URL("../../package-lock.json", import.meta.url), "utf8")) as {
  readonly packages: Readonly<Record<string, LockEntry>>;
};

describe("package-lock.json", () => {
  it("names no place that a package came from", () => {
    const places = Object.entries(lock.packages).filter(([, entry]) => entry.resolved !== undefined && !entry.link);
    expect(places.map(([path]) => path)).toEqual([]);
    for (const { resolved } of Object.values(lock.packages)) expect(resolved ?? "packages/").toMatch(/^packages\//);
  });

  // `npm install` leaves out what its registry does not carry, and `npm ci` then refuses the file.
  it("has every optional dependency, also those of other platforms", () => {
    const missing = Object.entries(lock.packages).flatMap(([path, entry]) =>
      Object.keys(entry.optionalDependencies ?? {}).filter((name) => !hasPackage(path, name)),
    );
    expect(missing).toEqual([]);
  });
});

/** Whether `name` is found from the package at `path`, as Node looks for it. */
function hasPackage(path: string, name: string): boolean {
  for (let folder = path; ; folder = folder.slice(0, Math.max(0, folder.lastIndexOf("node_modules/") - 1))) {
    if (lock.packages[`${folder === "" ? "" : `${folder}/`}node_modules/${name}`] !== undefined) return true;
    if (folder === "") return false;
  }
}
