// Prints the npm packages that package-lock.json names for this machine and node_modules lacks, one a line; nothing when
// all is there. npm's own record alone would not do: it is written, too, when packages were left out (NODE_ENV=production,
// npm_config_omit), and stays when node_modules comes from a machine of another kind. Argument: the repository's root.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

const root = process.argv[2];
const wanted = packagesOf("package-lock.json");
// npm writes this last, so it is missing after an installation that was stopped.
const installed = packagesOf("node_modules/.package-lock.json");

const missing = Object.entries(wanted)
  .filter(([path, entry]) => path.startsWith("node_modules/") && isForThisMachine(entry))
  .filter(
    ([path, { version }]) =>
      plain(installed[path]?.version) !== plain(version) || !existsSync(join(root, path, "package.json")),
  )
  .map(([path]) => path);
// `npx mzsr` would ask the public registry for a package of that name.
if (!existsSync(join(root, "node_modules/.bin/mzsr"))) missing.push("node_modules/.bin/mzsr");
if (missing.length > 0) console.log(missing.join("\n"));

function packagesOf(path) {
  const file = join(root, path);
  if (!existsSync(file)) return {};
  try {
    return JSON.parse(readFileSync(file, "utf8")).packages ?? {};
  } catch {
    return {};
  }
}

/** npm ci records a package's version as the lock file has it, npm install as the package itself, which may be `v1.0.0`. */
function plain(version) {
  return version?.replace(/^v/, "");
}

/** Optional packages are native code, one package for each kind of machine, or what stands in where there is none. */
function isForThisMachine({ optional, os, cpu, libc }) {
  if (!optional) return true;
  return (
    os !== undefined && suits(os, process.platform) && suits(cpu, process.arch) && suits(libc, libcOfThisMachine())
  );
}

function suits(list, value) {
  return list === undefined || list.includes(value);
}

function libcOfThisMachine() {
  if (process.platform !== "linux") return undefined;
  process.report.excludeNetwork = true;
  return process.report.getReport().header.glibcVersionRuntime === undefined ? "musl" : "glibc";
}
