// What tests use besides the programs of scripts/programs: those that Go builds (test/tools/go), and Python's readers of what a
// run writes (test/tools/python). Once; caches of the user's keep them. Minutes on a machine that has none of them, so
// that the time is bounded. Always ends well: tests skip what is missing.
import { readdirSync } from "node:fs";
import { buildGoTool } from "../packages/testing/dist/go-tool.js";
import { hasPythonReaders, installPythonReaders } from "../packages/testing/dist/python-readers.js";

/** Helm takes three minutes on two idle cores. */
const BUILD_MS = 8 * 60_000;
/** What is current is found sooner than this. */
const LOOK_MS = 30_000;
const INSTALL_MS = 4 * 60_000;

const say = (text) => console.error(`setup: ${text}`);
const told = ({ missing }) => missing !== undefined && say(`${missing}; tests that need it are skipped`);

for (const name of readdirSync(new URL("../test/tools/go/", import.meta.url))) {
  const current = buildGoTool(name, LOOK_MS);
  if (!current.missing?.includes("not built within")) {
    told(current);
    continue;
  }
  say(`building ${name} (once; some minutes)`);
  told(buildGoTool(name, BUILD_MS));
}

if (!hasPythonReaders()) {
  say("installing TensorBoard, pandas and ONNX Runtime for tests (once)");
  told(installPythonReaders(INSTALL_MS));
}
