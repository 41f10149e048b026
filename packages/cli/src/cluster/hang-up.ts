/**
 * SIGHUP: a terminal was closed, or somebody sent it. Who starts a command under `nohup` wants it ignored.
 *
 * Node gives every signal its default back before any code of ours runs, so that the kernel's own record (SigIgn in
 * /proc/self/status) says "not ignored" under nohup, too. What nohup leaves behind is read instead: shells name the program
 * that they start in the variable `_`, which nohup hands on to the command unchanged; and GNU's nohup puts /dev/null, opened
 * for writing alone, in the place of a terminal's input, which nothing else does. In doubt a SIGHUP is heeded: a run
 * that stops with a checkpoint can go on, one that is killed has lost steps.
 */
import { readFileSync, readlinkSync } from "node:fs";
import { basename } from "node:path";

/** What is known of how this process was started. */
export interface StartFacts {
  /** The variable `_`. */
  readonly startedAs: string | undefined;
  /** Content of /proc/self/status; empty where there is none. */
  readonly status: string;
  /** What standard input is; empty where that cannot be told. */
  readonly input: string;
  /** Content of /proc/self/fdinfo/0; empty where there is none. */
  readonly inputInfo: string;
}

const SIGHUP_BIT = 1n;
/** Of the open flags (octal in fdinfo), those that tell reading from writing, and their value for writing alone. */
const ACCESS_MODE = 0o3;
const WRITE_ONLY = 0o1;

/** Whether whoever started the process asked that SIGHUP be ignored. */
export function hangUpIgnored(facts: StartFacts = startFacts()): boolean {
  if (facts.startedAs !== undefined && basename(facts.startedAs) === "nohup") return true;
  const ignored = /^SigIgn:\s*([0-9a-f]+)$/m.exec(facts.status)?.[1];
  if (ignored !== undefined && (BigInt(`0x${ignored}`) & SIGHUP_BIT) !== 0n) return true;
  const flags = /^flags:\s*([0-7]+)$/m.exec(facts.inputInfo)?.[1];
  return facts.input === "/dev/null" && flags !== undefined && (Number.parseInt(flags, 8) & ACCESS_MODE) === WRITE_ONLY;
}

/** Makes an ignored SIGHUP stay ignored, for as long as the process lives. */
export function keepHangUpIgnored(): void {
  if (hangUpIgnored()) process.on("SIGHUP", () => undefined);
}

function startFacts(): StartFacts {
  return {
    startedAs: process.env._,
    status: orEmpty(() => readFileSync("/proc/self/status", "utf8")),
    input: orEmpty(() => readlinkSync("/proc/self/fd/0")),
    inputInfo: orEmpty(() => readFileSync("/proc/self/fdinfo/0", "utf8")),
  };
}

function orEmpty(read: () => string): string {
  try {
    return read();
  } catch {
    return "";
  }
}
