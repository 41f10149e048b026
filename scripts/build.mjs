// Builds every package: first what is generated (protocol types, WebAssembly kernels, the page), each package's
// `prebuild-generated` script, which does nothing when its output is current; then TypeScript by project references.
// A build with nothing to do takes about a second.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));

/** Runs a command and ends this process with its exit code when it fails. */
async function run(command, args, options) {
  const child = spawn(command, args, { stdio: "inherit", ...options });
  const [code] = await once(child, "exit");
  if (code !== 0) process.exit(code ?? 1);
}

const generators = readdirSync(join(root, "packages")).flatMap((name) => {
  const cwd = join(root, "packages", name);
  const manifest = join(cwd, "package.json");
  const script = existsSync(manifest) && JSON.parse(readFileSync(manifest, "utf8")).scripts?.["prebuild-generated"];
  return script ? [{ script, cwd }] : [];
});
await Promise.all(generators.map(({ script, cwd }) => run(script, [], { cwd, shell: true })));

const typescript = createRequire(import.meta.url).resolve("typescript/package.json");
await run(process.execPath, [join(dirname(typescript), "bin", "tsc"), "-b"], { cwd: root });
