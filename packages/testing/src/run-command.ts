import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

/** The built command, as a user starts it. */
export const BIN = fileURLToPath(new URL("../../cli/dist/bin.js", import.meta.url));

export interface CommandResult {
  readonly code: number | null;
  readonly out: string;
  readonly notes: string;
}

/** Runs `mzsr` to its end in a process of its own, with nobody at the terminal. */
export async function mzsr(
  args: readonly string[],
  options: { cwd?: string; env?: NodeJS.ProcessEnv } = {},
): Promise<CommandResult> {
  const child = spawn(process.execPath, [BIN, ...args], { stdio: ["ignore", "pipe", "pipe"], ...options });
  let [out, notes] = ["", ""];
  child.stdout.on("data", (chunk) => (out += chunk));
  child.stderr.on("data", (chunk) => (notes += chunk));
  const [code] = (await once(child, "close")) as [number | null];
  return { code, out, notes };
}
