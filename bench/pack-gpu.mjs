// Packs what `npm run bench:gpu` needs into one archive, for a Linux machine with a GPU that has neither Node nor a
// way to a registry: Node itself, Dawn, TensorFlow.js' WebGPU backend where it is installed, the measurement as one
// file, golden cases and the peers.
//
//   npm run build && node bench/pack-gpu.mjs gpu-bench.tar.gz
//   there: tar xzf gpu-bench.tar.gz && gpu-bench/run [options of bench:gpu]
//
// The machine needs its driver, the Vulkan loader (libvulkan1), and for the peer a python3 with torch.
import { execFileSync } from "node:child_process";
import { chmodSync, copyFileSync, cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "vite";

const root = fileURLToPath(new URL("..", import.meta.url));
const require = createRequire(import.meta.url);
const archive = process.argv[2];
if (archive === undefined) {
  console.error("usage: node bench/pack-gpu.mjs OUT.tar.gz");
  process.exit(2);
}

/** Loaded at run time, as they are. */
const EXTERNAL = ["webgpu", /^@tensorflow\//];

/** Makes one file of a module and all that it uses. */
async function bundle(entry, folder) {
  await build({
    root,
    logLevel: "warn",
    configFile: false,
    ssr: { noExternal: true },
    build: {
      ssr: entry,
      outDir: folder,
      emptyOutDir: false,
      copyPublicDir: false,
      target: "node20",
      // What is imported for nothing but its effects (network, image codecs) is not needed here.
      rolldownOptions: {
        external: EXTERNAL,
        output: { entryFileNames: "[name].mjs" },
        treeshake: { moduleSideEffects: needsEffects },
      },
    },
  });
}

function needsEffects(id) {
  return /engine-webgpu|bench/.test(id) || id.startsWith("@tensorflow/");
}

function copyPackage(name, files, modules) {
  const from = dirname(require.resolve(`${name}/package.json`));
  for (const file of ["package.json", ...files]) {
    mkdirSync(dirname(join(modules, name, file)), { recursive: true });
    cpSync(join(from, file), join(modules, name, file), { recursive: true });
  }
}

const staging = mkdtempSync(join(tmpdir(), "pack-gpu-"));
try {
  const run = join(staging, "gpu-bench");
  const modules = join(run, "node_modules");
  for (const folder of ["bench/peers", "bench/sides", "test/golden", "bin"])
    mkdirSync(join(run, folder), { recursive: true });
  await bundle("bench/gpu.ts", join(run, "bench"));
  await bundle("bench/sides/tfjs-webgpu.mjs", join(run, "bench/sides"));
  copyFileSync(join(root, "bench/peers/gpu.py"), join(run, "bench/peers/gpu.py"));
  for (const name of ["meta_gradient", "meta_gradient_learned_rates"]) {
    copyFileSync(join(root, `test/golden/${name}.json`), join(run, `test/golden/${name}.json`));
  }
  copyFileSync(process.execPath, join(run, "bin/node"));
  copyPackage("webgpu", ["index.js", `dist/${process.platform}-${process.arch}`], modules);
  copyPackage("@tensorflow/tfjs-core", ["dist/tf-core.node.js"], modules);
  copyPackage("@tensorflow/tfjs-backend-cpu", ["dist/tf-backend-cpu.node.js"], modules);
  for (const name of ["long", "seedrandom"]) {
    cpSync(join(root, "node_modules", name), join(modules, name), { recursive: true });
  }
  if (existsSync(join(root, "node_modules/@tensorflow/tfjs-backend-webgpu"))) {
    copyPackage("@tensorflow/tfjs-backend-webgpu", ["dist/tf-backend-webgpu.node.js"], modules);
  }
  writeFileSync(join(run, "package.json"), JSON.stringify({ type: "module", private: true }));
  writeFileSync(join(run, "run"), '#!/bin/sh\ncd "$(dirname "$0")" && exec bin/node bench/gpu.mjs "$@"\n');
  chmodSync(join(run, "run"), 0o755);
  execFileSync("tar", ["czf", resolve(archive), "-C", staging, "gpu-bench"]);
} finally {
  rmSync(staging, { recursive: true, force: true });
}
