/** The thread's side: one task after the other, each answered. */
import { parentPort } from "node:worker_threads";
import { InputError, messageOf } from "@mzsr/mzsr";
import type { ThreadAnswer } from "./messages.js";

/** Of a thread's entry. @param handle does one task; what it throws is the answer to that task alone */
export function serveTasks<Task, Report>(handle: (task: Task, note: (text: string) => void) => Promise<Report>): void {
  const port = parentPort!;
  const answer = (message: ThreadAnswer<Report>) => port.postMessage(message);
  port.on("message", async (task: Task) => {
    try {
      answer({ kind: "done", report: await handle(task, (text) => answer({ kind: "note", text })) });
    } catch (thrown) {
      const { where, expected } = thrown as Partial<InputError>;
      const reason = thrown instanceof InputError ? thrown.what : messageOf(thrown);
      answer({ kind: "failed", reason, where, expected });
    }
  });
}
