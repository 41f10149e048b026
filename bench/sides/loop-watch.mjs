// Loaded before the coordinator (--import): from one SIGUSR2 to the next it watches the event loop's delays, and profiles
// the program where that is asked for; then it writes down what it saw. The program does not measure its loop's
// distribution itself, since that wakes it 100 times a second.
import { renameSync, writeFileSync } from "node:fs";
import { Session } from "node:inspector/promises";
import { monitorEventLoopDelay } from "node:perf_hooks";

const RESOLUTION_MS = 10;
const { MZSR_BENCH_LOOP_FILE: file, MZSR_BENCH_PROFILE: profile } = process.env;

if (file !== undefined && process.argv.includes("coordinator")) {
  const delays = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  const session = profile === undefined ? undefined : await profiler();
  const begin = async () => {
    await session?.post("Profiler.start");
    delays.reset();
    delays.enable();
    process.once("SIGUSR2", () => void end());
  };
  const end = async () => {
    delays.disable();
    const p99Ms = Math.max(0, delays.percentile(99) / 1e6 - RESOLUTION_MS);
    if (session !== undefined) writeFileSync(profile, JSON.stringify((await session.post("Profiler.stop")).profile));
    writeFileSync(`${file}.new`, JSON.stringify({ p99Ms }));
    renameSync(`${file}.new`, file);
  };
  process.once("SIGUSR2", () => void begin());
}

async function profiler() {
  const session = new Session();
  session.connect();
  await session.post("Profiler.enable");
  await session.post("Profiler.setSamplingInterval", { interval: 500 });
  return session;
}
