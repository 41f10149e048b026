/** What the documents name is there: files that they link to, their headings, and paths of this repository. */
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const root = fileURLToPath(new URL("../..", import.meta.url));
const pages = execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard", "*.md"], {
  cwd: root,
  encoding: "utf8",
})
  .trim()
  .split("\n")
  .filter((page) => existsSync(join(root, page)));

/** Places of the repository that documents name by their path. */
const PLACES = /^(packages|test|bench|deploy|docs|proto|scripts)\/[\w./-]+$/;

test("links lead to files and headings that exist", () => {
  const broken = pages.flatMap((page) =>
    [...textOf(page).matchAll(/\]\(([^)\s]+)\)/g)]
      .map(([, target]) => target!)
      .filter((target) => !/^[a-z]+:/.test(target) && !leadsSomewhere(page, target))
      .map((target) => `${page}: ${target}`),
  );
  expect(broken).toEqual([]);
});

test("paths in the text are there", () => {
  const missing = pages.flatMap((page) =>
    [...textOf(page).matchAll(/`([^`\s]+)`/g)]
      .map(([, path]) => path!)
      .filter((path) => PLACES.test(path) && !/\/(dist|build)\b|\/\.env$/.test(path) && !existsSync(join(root, path)))
      .map((path) => `${page}: ${path}`),
  );
  expect(missing).toEqual([]);
});

function textOf(page: string): string {
  return readFileSync(join(root, page), "utf8");
}

function leadsSomewhere(page: string, target: string): boolean {
  const [path, heading] = target.split("#");
  const file = path === "" ? page : join(dirname(page), path!);
  if (!existsSync(join(root, file))) return false;
  return heading === undefined || headingsOf(file).includes(heading);
}

/** As GitHub names them: lower case, no punctuation, hyphens for spaces. */
function headingsOf(file: string): string[] {
  return [...textOf(file).matchAll(/^#+ (.+)$/gm)].map(([, title]) =>
    title!
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, "")
      .replace(/\s/g, "-"),
  );
}
