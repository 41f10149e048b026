// A second-order task on the backend tensorflow beside simd: processor time, wall time and peak memory of a process that does
// nothing else. Installs tensorflow in a folder of its own (0.2 GB to download, 1 GB of disk, two minutes).
//
//   npm run build && node bench/run.mjs tensorflow [--core 1]

import { execFileSync } from "node:child_process";
import { copyFile, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { installTensorflow } from "../test/tensorflow/install-tensorflow.js";

const { values: options } = parseArgs({ args: process.argv.slice(2), options: { core: { type: "string" } } });

const folder = await mkdtemp(join(tmpdir(), "mzsr-tensorflow-"));
try {
  await installTensorflow(folder);
  await copyFile(fileURLToPath(new URL("sides/backend.mjs", import.meta.url)), join(folder, "backend.mjs"));
  const pin = options.core === undefined ? [] : ["taskset", "-c", options.core];
  for (const backend of ["simd", "tensorflow", "simd", "tensorflow"]) {
    const [command, ...args] = [...pin, process.execPath, "backend.mjs", backend];
    const env = { ...process.env, TF_CPP_MIN_LOG_LEVEL: "2" };
    execFileSync(command!, args, { cwd: folder, env, stdio: ["ignore", "inherit", "ignore"] });
  }
} finally {
  await rm(folder, { recursive: true, force: true });
}
