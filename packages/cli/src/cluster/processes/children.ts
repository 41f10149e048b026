/**
 * Child processes that never outlive this one. They run in a session of their own, so that Ctrl-C in the terminal
 * reaches only `mzsr up`, which then ends them in order; should `mzsr up` be killed, they notice and end by themselves.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";

export interface ChildExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** Resolves when the process has ended, at once when it already has. */
export async function childExit(child: ChildProcess): Promise<ChildExit> {
  if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
  return { code: child.exitCode, signal: child.signalCode };
}

/** Asks a child to end and, when it has not after `graceMs`, kills it. Resolves when it is gone. */
export async function endChild(child: ChildProcess, graceMs: number): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = childExit(child);
  child.kill("SIGTERM");
  const timer = setTimeout(() => child.kill("SIGKILL"), graceMs);
  await gone;
  clearTimeout(timer);
}

/**
 * Runs a program that does not watch its parent under a shell that does: when this process is gone, the shell's input
 * ends, and it ends the program.
 */
export function spawnGuarded(command: string, args: readonly string[]): ChildProcess {
  const script = [
    'exec 3<&0; "$@" & program=$!',
    'trap "kill $program 2>/dev/null" TERM',
    "(cat <&3 >/dev/null; kill $program 2>/dev/null) & watcher=$!",
    "wait $program; code=$?",
    "wait $program 2>/dev/null",
    "kill $watcher 2>/dev/null; exit $code",
  ].join("\n");
  return spawn("sh", ["-c", script, "sh", command, ...args], { stdio: ["pipe", "ignore", "ignore"], detached: true });
}
