/**
 * Run as a process of its own by `mzsr doctor`: starts one backend as a worker does and prints how that went. A native
 * library that takes its process down takes only this one.
 */
import { InputError, messageOf } from "@mzsr/mzsr";
import { findGpu, startBackend } from "@mzsr/worker";
import { backendName } from "../photos/use-backend.js";

const name = backendName(process.argv[2] ?? "auto");
try {
  const { description, forAuto } =
    name === "webgpu" ? await findGpu() : { ...(await startBackend(name)), forAuto: true };
  process.stdout.write(JSON.stringify({ starts: true, description, forAuto }));
} catch (thrown) {
  process.stdout.write(JSON.stringify({ starts: false, description: reasonOf(thrown), forAuto: false }));
}
process.exit(0);

/** What is wrong and what to do about it; for a backend, without the names of others. */
function reasonOf(thrown: unknown): string {
  if (name === "webgpu" && thrown instanceof InputError && thrown.expected !== undefined) {
    return `${thrown.what}: ${thrown.expected}`;
  }
  return messageOf(thrown)
    .replace(/^backend \S+ does not start: /, "")
    .replace(/; expected auto.*$/s, "");
}
