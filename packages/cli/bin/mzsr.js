#!/usr/bin/env node
// What npm links as `mzsr`: npm links only what is there when it installs, which is before anything is built. The
// repository's own package.json names it too, so that `npx mzsr` before the set-up comes here and asks no registry.
import { fileURLToPath } from "node:url";

try {
  await import("../dist/bin.js");
} catch (thrown) {
  if (thrown?.code !== "ERR_MODULE_NOT_FOUND") throw thrown;
  const setup = fileURLToPath(new URL("../../../scripts/setup", import.meta.url));
  console.error(`mzsr: not built yet, or npm packages are missing; run ${setup} first`);
  process.exitCode = 1;
}
