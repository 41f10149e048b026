/** What reading one input may cost, whatever is in it. */
import { HttpError } from "@mzsr/shared";

/** Processor time: the largest inputs take some milliseconds. */
const MOST_CPU_MS = 1_000;
/** Memory outside of V8's heap that one input makes. */
const MOST_BYTES = 96 * 2 ** 20;
/** What a thousand inputs and more leave behind after collection. */
const MOST_LEFT_BYTES = 64 * 2 ** 20;

const OURS: ReadonlySet<string> = new Set(["InputError", "RunError"]);

/** Whether a parser may throw this: it says what was wrong, and callers expect it. */
export function isOurs(thrown: unknown): boolean {
  return thrown instanceof HttpError || (thrown instanceof Error && OURS.has(thrown.name));
}

/**
 * Reads an input, and throws when that throws anything but our errors or costs too much.
 * @param read what takes the input
 */
export async function withinBudget(read: () => unknown): Promise<void> {
  const [cpu, started, before] = [process.cpuUsage(), performance.now(), outside()];
  try {
    const reading = read();
    if (reading instanceof Promise) await reading;
  } catch (thrown) {
    if (!isOurs(thrown)) throw thrown;
  }
  const grown = outside() - before;
  if (grown > MOST_BYTES) throw new Error(`took ${Math.round(grown / 2 ** 20)} MiB`);
  // On a busy machine a moment may take long: only the processor's own time says whether it was the input.
  if (performance.now() - started < MOST_CPU_MS) return;
  const { user, system } = process.cpuUsage(cpu);
  const cpuMs = (user + system) / 1000;
  if (cpuMs > MOST_CPU_MS) throw new Error(`took ${Math.round(cpuMs)} ms of processor time`);
}

/** Runs many inputs, and throws when they leave too much behind. */
export async function leavingNothing(run: () => Promise<void>): Promise<void> {
  const before = settled();
  await run();
  const left = settled() - before;
  if (left > MOST_LEFT_BYTES) throw new Error(`left ${Math.round(left / 2 ** 20)} MiB behind`);
}

function outside(): number {
  return process.memoryUsage().arrayBuffers;
}

function settled(): number {
  global.gc?.();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
