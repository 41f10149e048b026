/** Whether a backend starts on this machine, found out in a process of its own: a native library may take it down. */
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { InputError } from "@mzsr/mzsr";

const PROBE = fileURLToPath(new URL("../../inspect/probe-backend.js", import.meta.url));
const PROBE_MS = 60_000;
const execute = promisify(execFile);

export interface BackendFinding {
  readonly name: string;
  readonly found: boolean;
  /** What it is, or why it does not start. */
  readonly description: string;
  /** Whether `auto` may take it: a driver that only stands in for a GPU it does not. */
  readonly forAuto: boolean;
}

/** What the process prints. */
interface Verdict {
  readonly starts: boolean;
  readonly description: string;
  readonly forAuto: boolean;
}

export async function tryBackend(name: string): Promise<BackendFinding> {
  try {
    const { stdout } = await execute(process.execPath, [PROBE, name], { timeout: PROBE_MS });
    // Native libraries print to the same stream; the verdict comes last.
    const verdict = JSON.parse(stdout.slice(stdout.lastIndexOf("{"))) as Verdict;
    return { name, found: verdict.starts, description: verdict.description, forAuto: verdict.forAuto };
  } catch (thrown) {
    const { signal } = thrown as { signal?: string };
    const description = `starting it ended its process (${signal ?? "no answer"})`;
    return { name, found: false, description, forAuto: false };
  }
}

/** @throws InputError when it does not start */
export async function proveBackend(name: string): Promise<void> {
  const { found, description } = await tryBackend(name);
  if (found) return;
  throw new InputError(`backend ${name} does not start: ${description}`, {
    where: "--backend",
    expected: "auto, or another one; `mzsr doctor` tells which start",
  });
}
