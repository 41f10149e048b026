import { execFile } from "node:child_process";
import { availableParallelism, totalmem } from "node:os";
import { promisify } from "node:util";
import { BACKEND_NAMES } from "@mzsr/shared";
import { findNatsServer } from "../cluster/processes/nats-process.js";
import { tryBackend } from "../cluster/processes/prove-backend.js";
import type { Terminal } from "../progress/terminal.js";
import { VERSION } from "../version.js";

export interface DoctorOptions {
  readonly json?: boolean;
}

const QUICK_MS = 10_000;
const execute = promisify(execFile);

export interface Finding {
  readonly name: string;
  readonly found: boolean;
  /** What it is, or what to do to have it. */
  readonly description: string;
}

/** `mzsr doctor`. */
export async function runDoctor(options: DoctorOptions, terminal: Terminal): Promise<void> {
  const machine = [
    `mzsr ${VERSION}, Node ${process.versions.node}, ${process.platform} ${process.arch}`,
    `${availableParallelism()} cores, ${(totalmem() / 2 ** 30).toFixed(1)} GiB of memory`,
  ];
  const backends = await Promise.all(BACKEND_NAMES.map(tryBackend));
  const others = await Promise.all([gpu(), nats()]);
  const auto = backends.find(({ found, forAuto }) => found && forAuto)?.name;
  if (options.json === true) {
    terminal.json({ version: VERSION, node: process.versions.node, backends, auto, others });
    return;
  }
  for (const line of machine) terminal.line(line);
  terminal.line(`\nBackends (auto takes ${auto ?? "none: none starts"}):`);
  for (const finding of backends) terminal.line(lineOf(finding));
  terminal.line("\nOther:");
  for (const finding of others) terminal.line(lineOf(finding));
}

function lineOf({ name, found, description }: Finding): string {
  return `  ${found ? "✓" : "–"} ${name.padEnd(12)} ${description}`;
}

async function gpu(): Promise<Finding> {
  const query = ["--query-gpu=name,memory.total,driver_version", "--format=csv,noheader"];
  try {
    const { stdout } = await execute("nvidia-smi", query, { timeout: QUICK_MS });
    return { name: "NVIDIA GPU", found: true, description: stdout.trim().split("\n").join("; ") };
  } catch {
    return {
      name: "NVIDIA GPU",
      found: false,
      description: "none seen (nvidia-smi is missing or sees none); the simd backend needs none",
    };
  }
}

async function nats(): Promise<Finding> {
  const path = await findNatsServer(process.env.PATH ?? "");
  if (path === undefined) {
    const description =
      "not on PATH; Debian, Ubuntu: apt-get install nats-server; without it there are no heartbeats over NATS";
    return { name: "nats-server", found: false, description };
  }
  const { stdout } = await execute(path, ["--version"], { timeout: QUICK_MS }).catch(() => ({ stdout: "" }));
  return { name: "nats-server", found: true, description: `${stdout.trim()} (${path})` };
}
