// Compiles assembly/ to WebAssembly and embeds it in src/kernels.generated.ts, unless that was made from the same sources.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const assembly = join(root, "assembly");
const output = join(root, "src", "kernels.generated.ts");
const flags = ["-O3", "--noAssert", "--runtime", "stub", "--enable", "simd", "--importMemory", "--use", "abort="];
// Addresses are 32 bits wide here; a build for 64 would need another memory.
const SIZES_DIFFER_BY_TARGET = "201";

const hash = createHash("sha256").update(flags.join(" "));
for (const name of readdirSync(assembly).sort()) hash.update(name).update(readFileSync(join(assembly, name)));
const header = `// Compiled from assembly/ by scripts/build-kernels.mjs. Sources: ${hash.digest("hex")}\n`;

if (!existsSync(output) || !readFileSync(output, "utf8").startsWith(header)) {
  const wasm = join(tmpdir(), `kernels-${process.pid}.wasm`);
  const asc = createRequire(import.meta.url).resolve("assemblyscript/bin/asc.js");
  execFileSync(
    process.execPath,
    [asc, join(assembly, "index.ts"), "-o", wasm, ...flags, "--disableWarning", SIZES_DIFFER_BY_TARGET],
    { stdio: "inherit" },
  );
  const text = readFileSync(wasm).toString("base64");
  rmSync(wasm);
  const whole = `${output}.${process.pid}`;
  writeFileSync(whole, `${header}export const wasmBase64 =\n  "${text}";\n`);
  renameSync(whole, output);
  console.log(`kernels: ${Math.round((text.length * 3) / 4 / 1024)} KiB of WebAssembly`);
}
