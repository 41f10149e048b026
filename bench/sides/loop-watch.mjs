// Loaded before the coordinator (--import): writes its event loop's delays, processor time and memory to a file now and
// then. The program does not measure its loop's distribution itself, since that wakes it 100 times a second.
import { renameSync, writeFileSync } from "node:fs";
import { monitorEventLoopDelay } from "node:perf_hooks";

const EVERY_MS = 200;
const RESOLUTION_MS = 10;

const file = process.env.MZSR_BENCH_LOOP_FILE;
if (file !== undefined && process.argv.includes("coordinator")) {
  const delays = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  delays.enable();
  process.on("SIGUSR2", () => delays.reset());
  const write = () => {
    const p99Ms = Math.max(0, delays.percentile(99) / 1e6 - RESOLUTION_MS);
    writeFileSync(`${file}.new`, JSON.stringify({ p99Ms }));
    renameSync(`${file}.new`, file);
  };
  write();
  setInterval(write, EVERY_MS).unref();
}
