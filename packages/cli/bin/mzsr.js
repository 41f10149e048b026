#!/usr/bin/env node
// What npm links as `mzsr`. npm links only what is there when it installs, which is before anything is built.
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

const BUILT = new URL("../dist/bin.js", import.meta.url);
if (existsSync(BUILT)) {
  await import(BUILT.href);
} else {
  console.error(`mzsr: not built yet; run ${fileURLToPath(new URL("../../../scripts/setup", import.meta.url))} first`);
  process.exitCode = 1;
}
