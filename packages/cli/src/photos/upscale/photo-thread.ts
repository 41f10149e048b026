/** Entry of a thread that enlarges photos, one after the other. */
import { parentPort, workerData } from "node:worker_threads";
import { InputError, messageOf } from "@mzsr/mzsr";
import { useBackend } from "../use-backend.js";
import { type EnlargeSettings, enlargeFile, type PhotoReport, type PhotoTask } from "./enlarge-file.js";

export type ThreadAnswer =
  | { readonly kind: "note"; readonly text: string }
  | { readonly kind: "done"; readonly report: PhotoReport }
  | {
      readonly kind: "failed";
      readonly reason: string;
      readonly where?: string | undefined;
      readonly expected?: string | undefined;
    };

const settings = workerData as EnlargeSettings;
const port = parentPort!;
const answer = (message: ThreadAnswer) => port.postMessage(message);
const started = useBackend(settings.backend);
// Whoever waits for it hears of a failure.
started.catch(() => undefined);

/** Photos from and to standard streams are not given to threads. */
const noStream = () => Promise.reject(new Error("a thread has no standard streams"));

port.on("message", async (task: PhotoTask) => {
  try {
    const note = (text: string) => answer({ kind: "note", text });
    const listener = { note, ready: () => started, step: () => undefined };
    answer({ kind: "done", report: await enlargeFile(task, settings, listener, { read: noStream, write: noStream }) });
  } catch (thrown) {
    const { where, expected } = thrown as Partial<InputError>;
    answer({ kind: "failed", reason: thrown instanceof InputError ? thrown.what : messageOf(thrown), where, expected });
  }
});
