/**
 * Run as a process of its own by `mzsr doctor`: starts one backend and prints how that went. A native library that
 * takes its process down takes only this one.
 */
import { messageOf } from "@mzsr/mzsr";
import { startBackend } from "@mzsr/worker";
import { backendName } from "../photos/use-backend.js";

try {
  const started = await startBackend(backendName(process.argv[2] ?? "auto"));
  process.stdout.write(JSON.stringify({ starts: true, description: started.description }));
} catch (thrown) {
  const reason = messageOf(thrown)
    .replace(/^backend \S+ does not start: /, "")
    .replace(/; expected auto.*$/s, "");
  process.stdout.write(JSON.stringify({ starts: false, description: reason }));
}
process.exit(0);
