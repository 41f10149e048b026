// Builds the page into dist/ with Vite, unless dist/ is newer than everything it is made of.
import { readdirSync, statSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { build } from "vite";

const root = fileURLToPath(new URL("..", import.meta.url));
const SOURCES = ["src", "index.html", "vite.config.ts", "package.json", "scripts"];

function newest(path) {
  const stat = statSync(path);
  if (!stat.isDirectory()) return stat.mtimeMs;
  return Math.max(stat.mtimeMs, ...readdirSync(path).map((name) => newest(`${path}/${name}`)));
}

function builtAt() {
  return statSync(`${root}dist/index.html`, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

if (Math.max(...SOURCES.map((name) => newest(root + name))) > builtAt()) await build({ root, logLevel: "warn" });
