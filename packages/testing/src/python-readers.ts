/** A Python with TensorBoard, pandas and ONNX Runtime, in a folder of the user's cache that set-up fills from PyPI. */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { FoundTool } from "./go-tool.js";

const REQUIREMENTS = fileURLToPath(new URL("../../../test/tools/python/requirements.txt", import.meta.url));

/** The folder for exactly these requirements. */
function folder(): string {
  const key = createHash("sha256").update(readFileSync(REQUIREMENTS)).digest("hex").slice(0, 12);
  return join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "mzsr", `test-python-${key}`);
}

/** Written last: what has it is whole. */
const mark = () => join(folder(), "complete");
const python = () => join(folder(), "bin/python");

/**
 * Installs what is not there.
 * @param timeoutMs of each of the two steps
 */
export function installPythonReaders(timeoutMs: number): FoundTool {
  if (existsSync(mark())) return { path: python() };
  rmSync(folder(), { recursive: true, force: true });
  mkdirSync(folder(), { recursive: true });
  const pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--only-binary", ":all:"];
  for (const [command, ...args] of [
    ["python3", "-m", "venv", folder()],
    [python(), ...pip, "--requirement", REQUIREMENTS],
  ] as [string, ...string[]][]) {
    const { status, stderr, error } = spawnSync(command, args, { encoding: "utf8", timeout: timeoutMs });
    if (status === 0) continue;
    const why = error?.message ?? stderr.trim().split("\n").at(-1);
    return { missing: `Python's readers cannot be installed: ${why}` };
  }
  writeFileSync(mark(), "");
  return { path: python() };
}

export function hasPythonReaders(): boolean {
  return existsSync(mark());
}

/** The Python that set-up has filled; undefined, with a warning, where it is not there: tests that need it skip themselves. */
export function pythonReaders(): string | undefined {
  if (hasPythonReaders()) return python();
  console.warn(
    "TensorBoard, pandas and ONNX Runtime are not installed (scripts/setup --test): tests with them are skipped",
  );
  return undefined;
}
