import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";

/** One measurement of a peer: `{"case": "small", "what": "PyTorch eager, FP32", "tasksPerSecond": 120}`. */
export interface PeerSpeed {
  readonly case: string;
  readonly what: string;
  readonly tasksPerSecond: number;
}

/**
 * Runs a peer, which prints measurements as lines of JSON and anything else as it likes.
 *
 * @returns the measurements, and why there are none or not all
 */
export async function runPeer(
  command: string,
  args: readonly string[],
  seconds: number,
): Promise<{ speeds: PeerSpeed[]; problem: string | undefined }> {
  const speeds: PeerSpeed[] = [];
  const child = spawn(command, [...args], { stdio: ["ignore", "pipe", "pipe"], timeout: seconds * 1000 });
  let complaint = "";
  child.stderr.on("data", (text) => {
    complaint = `${complaint}${text}`.slice(-2000);
  });
  for await (const line of createInterface({ input: child.stdout }).on("error", () => undefined)) {
    if (line.startsWith("{")) speeds.push(JSON.parse(line) as PeerSpeed);
    else if (line.trim() !== "") console.log(`  ${line}`);
  }
  const [code, signal] = child.exitCode === null ? await once(child, "close") : [child.exitCode, child.signalCode];
  if (code === 0) return { speeds, problem: undefined };
  const last = complaint.trim().split("\n").at(-1);
  return { speeds, problem: signal === null ? (last ?? `exit code ${code}`) : `ended after ${seconds} seconds` };
}
