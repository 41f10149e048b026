// Compiles AssemblyScript to WebAssembly and embeds it in a TypeScript file, unless that was made from the same sources.
// Run in a package: build-wasm.mjs ENTRY OUTPUT; what the entry imports lies in its folder.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";

const [entry, output] = process.argv.slice(2);
const flags = ["-O3", "--noAssert", "--runtime", "stub", "--enable", "simd", "--importMemory", "--use", "abort="];
// Addresses are 32 bits wide here; a build for 64 would need another memory.
const SIZES_DIFFER_BY_TARGET = "201";

const folder = dirname(entry);
const hash = createHash("sha256").update(flags.join(" "));
for (const name of readdirSync(folder).sort()) hash.update(name).update(readFileSync(join(folder, name)));
const header = `// Compiled from ${entry} by scripts/build-wasm.mjs. Sources: ${hash.digest("hex")}\n`;

if (!existsSync(output) || !readFileSync(output, "utf8").startsWith(header)) {
  const name = basename(output, ".generated.ts");
  const wasm = join(tmpdir(), `${name}-${process.pid}.wasm`);
  const asc = createRequire(import.meta.url).resolve("assemblyscript/bin/asc.js");
  execFileSync(process.execPath, [asc, entry, "-o", wasm, ...flags, "--disableWarning", SIZES_DIFFER_BY_TARGET], {
    stdio: "inherit",
  });
  const text = readFileSync(wasm).toString("base64");
  rmSync(wasm);
  const whole = `${output}.${process.pid}`;
  writeFileSync(whole, `${header}export const wasmBase64 =\n  "${text}";\n`);
  renameSync(whole, output);
  console.log(`${name}: ${Math.ceil((text.length * 3) / 4 / 1024)} KiB of WebAssembly`);
}
