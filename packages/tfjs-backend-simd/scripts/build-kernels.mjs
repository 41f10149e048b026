// Compiles assembly/ to WebAssembly and embeds it in src/kernels.generated.ts, unless that is newer than every source.
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const assembly = join(root, "assembly");
const output = join(root, "src", "kernels.generated.ts");

const sources = [
  fileURLToPath(import.meta.url),
  ...readdirSync(assembly)
    .filter((name) => name.endsWith(".ts"))
    .map((name) => join(assembly, name)),
];
const modified = (path) => statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? Number.NEGATIVE_INFINITY;
if (modified(output) < Math.max(...sources.map(modified), modified(assembly))) {
  const wasm = join(tmpdir(), `kernels-${process.pid}.wasm`);
  const asc = createRequire(import.meta.url).resolve("assemblyscript/bin/asc.js");
  const flags = ["-O3", "--noAssert", "--runtime", "stub", "--enable", "simd", "--importMemory", "--use", "abort="];
  execFileSync(process.execPath, [asc, join(assembly, "index.ts"), "-o", wasm, ...flags], { stdio: "inherit" });
  const text = readFileSync(wasm).toString("base64");
  rmSync(wasm);
  writeFileSync(
    output,
    `// Compiled from assembly/ by scripts/build-kernels.mjs.\nexport const wasmBase64 =\n  "${text}";\n`,
  );
  console.log(`kernels: ${Math.round((text.length * 3) / 4 / 1024)} KiB of WebAssembly`);
}
