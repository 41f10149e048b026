// Our side of a measurement: answers each request line with CPU seconds and peak memory. Plain JavaScript, so that
// the process holds what a worker holds and no compiler.
import { createInterface } from "node:readline";

/** @param {(request: any) => Promise<void>} run what is measured */
export async function serve(run) {
  for await (const line of createInterface({ input: process.stdin })) {
    const request = JSON.parse(line);
    const start = process.cpuUsage();
    await run(request);
    const { user, system } = process.cpuUsage(start);
    const peakBytes = process.resourceUsage().maxRSS * 1024;
    process.stdout.write(`${JSON.stringify({ cpuSeconds: (user + system) / 1e6, peakBytes })}\n`);
  }
}
