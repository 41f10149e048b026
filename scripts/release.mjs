// Publishes every package that is not private, those that others depend on first: `npm run release`, or only shows what
// would be published: `npm run release -- --dry-run`. Both build them anew.
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const NEEDED = ["LICENSE", "README.md", "package.json"];

const rest = process.argv.slice(2).filter((argument) => argument !== "--dry-run");
if (rest.length > 0) fail(`unknown: ${rest.join(" ")}; expected nothing, or --dry-run`);
const dryRun = process.argv.includes("--dry-run");

const packages = inOrder(publicPackages());
checkVersions(packages);
if (!dryRun) checkAddresses(packages);
buildAnew(packages);
for (const { folder } of packages) show(packed(folder));
if (dryRun) console.log(`${packages.length} packages would be published`);
else for (const { folder } of packages) npm(["publish", "--access", "public", "--provenance"], folder, "inherit");

function publicPackages() {
  return readdirSync(join(root, "packages"))
    .map((name) => join(root, "packages", name))
    .map((folder) => ({ folder, manifest: JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) }))
    .filter(({ manifest }) => !manifest.private);
}

/** Each package after those that it depends on. */
function inOrder(all) {
  const ordered = [];
  const add = (one) => {
    if (ordered.includes(one)) return;
    for (const name of Object.keys(one.manifest.dependencies ?? {})) {
      const needed = all.find(({ manifest }) => manifest.name === name);
      if (needed !== undefined) add(needed);
      else if (name.startsWith("@mzsr/")) fail(`${one.manifest.name} depends on ${name}, which is not published`);
    }
    ordered.push(one);
  };
  for (const one of all) add(one);
  return ordered;
}

/** Packages are released together: one version, which they also ask of one another. */
function checkVersions(all) {
  const { name, version } = all[0].manifest;
  for (const { manifest } of all) {
    if (manifest.version !== version) {
      fail(`${manifest.name} is ${manifest.version} and ${name} is ${version}; expected one version`);
    }
    for (const [dependency, range] of Object.entries(manifest.dependencies ?? {})) {
      if (dependency.startsWith("@mzsr/") && range !== `^${version}`) {
        fail(`${manifest.name} asks for ${dependency} ${range}; expected ^${version}`);
      }
    }
  }
}

/** npm holds a package's provenance to the address that its manifest gives, and refuses one without. */
function checkAddresses(all) {
  const lacking = all.filter(({ manifest }) => !manifest.repository?.url).map(({ manifest }) => manifest.name);
  if (lacking.length > 0) fail(`${lacking.join(", ")}: no repository.url in package.json; npm needs it for provenance`);
}

/** The compiler leaves in dist/ what it made of sources that are gone; a tarball would have it. */
function buildAnew(all) {
  for (const { folder } of all) rmSync(join(folder, "dist"), { recursive: true, force: true });
  execFileSync(process.execPath, [join(root, "scripts", "build.mjs")], { stdio: "inherit" });
}

/** What npm would put into the tarball. */
function packed(folder) {
  const [answer] = Object.values(
    JSON.parse(npm(["pack", "--dry-run", "--json", "--foreground-scripts=false"], folder)),
  );
  const missing = NEEDED.filter((file) => !answer.files.some(({ path }) => path === file));
  if (missing.length > 0) fail(`${answer.name} lacks ${missing.join(", ")}`);
  return answer;
}

function show({ name, version, files, size }) {
  console.log(`\n${name} ${version}: ${files.length} files, ${Math.ceil(size / 1024)} KiB packed`);
  for (const { path, size: bytes } of files) console.log(`${String(bytes).padStart(9)}  ${path}`);
}

function npm(args, cwd, stdio = ["ignore", "pipe", "inherit"]) {
  return execFileSync("npm", args, { cwd, encoding: "utf8", stdio });
}

function fail(message) {
  console.error(`release: ${message}`);
  process.exit(1);
}
