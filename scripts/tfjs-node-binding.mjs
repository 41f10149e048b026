// Builds the native binding of @tensorflow/tfjs-node from the sources in its package, against the libtensorflow of TensorFlow's
// Python wheel, for machines that reach npm's registry and PyPI but not the store of its prebuilt binaries:
//
//   npm install --ignore-scripts @tensorflow/tfjs-node
//   node scripts/tfjs-node-binding.mjs FOLDER          # that has node_modules/@tensorflow/tfjs-node
//
// Takes pip, g++, Node's headers, 0.9 GB of disk and half a minute. Linux on x64.
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";

/**
 * The binding was written for TensorFlow 2.9.1, whose wheel has the C API only inside a Python module. This version's has it as
 * a library; the API is the same.
 */
const TENSORFLOW = "2.15.1";
const PYTHON = "3.11";
const LIBRARIES = ["libtensorflow_cc.so.2", "libtensorflow_framework.so.2"];

/** Headers and libraries of a wheel, unpacked below a folder. */
const UNPACK = `
import sys, zipfile
wheel, folder = sys.argv[1:]
with zipfile.ZipFile(wheel) as archive:
    for name in archive.namelist():
        header = name.startswith(("tensorflow/include/tensorflow/", "tensorflow/include/tsl/")) and name.endswith(".h")
        if header or name in [${LIBRARIES.map((name) => `"tensorflow/${name}"`).join(", ")}]:
            archive.extract(name, folder)
`;

const [folder] = process.argv.slice(2);
const addon = join(resolve(folder ?? "."), "node_modules", "@tensorflow", "tfjs-node");
const headers = join(dirname(dirname(process.execPath)), "include", "node");
if (folder === undefined || !existsSync(addon))
  fail(`usage: node scripts/tfjs-node-binding.mjs FOLDER; there is no ${addon}`);
if (process.platform !== "linux" || process.arch !== "x64") fail("Linux on x64 only");
if (!existsSync(join(headers, "node_api.h"))) fail(`Node's headers are not in ${headers}`);

const scratch = mkdtempSync(join(tmpdir(), "tfjs-node-binding-"));
try {
  build(unpacked());
} finally {
  rmSync(scratch, { recursive: true, force: true });
}

/** Puts the libraries where the binding's own build would. */
function unpacked() {
  const where = ["--python-version", PYTHON, "--platform", "manylinux2014_x86_64", "--only-binary=:all:", "--no-deps"];
  run("pip", ["download", "--quiet", ...where, "--dest", scratch, `tensorflow-cpu==${TENSORFLOW}`]);
  const wheel = readdirSync(scratch).find((name) => name.endsWith(".whl"));
  const deps = join(addon, "deps");
  run("python3", ["-c", UNPACK, join(scratch, wheel), deps]);
  return join(deps, "tensorflow");
}

/** @param {string} tensorflow its libraries, and its headers in `include` */
function build(tensorflow) {
  // The newest of the versions that the package names.
  const version = Math.min(8, Number(process.versions.napi));
  const library = join(addon, "lib", `napi-v${version}`, "tfjs_binding.node");
  mkdirSync(dirname(library), { recursive: true });
  const includes = [headers, addon, join(tensorflow, "include")].map((path) => `-I${path}`);
  const sources = ["tfjs_backend.cc", "tfjs_binding.cc"].map((name) => join(addon, "binding", name));
  const libraries = LIBRARIES.map((name) => join(tensorflow, name));
  const flags = ["-O2", "-std=c++17", "-fPIC", "-shared", `-DNAPI_VERSION=${version}`];
  run("g++", [
    ...flags,
    ...includes,
    ...sources,
    ...libraries,
    "-Wl,-rpath,$ORIGIN/../../deps/tensorflow",
    "-o",
    library,
  ]);
  console.log(library);
}

function run(command, args) {
  execFileSync(command, args, { stdio: ["ignore", "ignore", "inherit"] });
}

function fail(reason) {
  console.error(reason);
  process.exit(2);
}
