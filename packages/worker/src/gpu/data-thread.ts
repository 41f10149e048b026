/** Entry of a thread that makes tasks' data for a GPU. */
import { performance } from "node:perf_hooks";
import { parentPort } from "node:worker_threads";
import { messageOf } from "@mzsr/mzsr";
import { type TaskData, taskData } from "../compute/task-data.js";
import type { DataOrder, FromDataThread } from "./gpu-messages.js";

const port = parentPort;
if (port === null) throw new Error("data-thread.js is the entry of a worker thread");

port.on("message", ({ id, task, crops }: DataOrder) => {
  const began = performance.now();
  try {
    const data = taskData(task, crops);
    const seconds = (performance.now() - began) / 1000;
    port.postMessage({ type: "made", id, data, seconds } satisfies FromDataThread, buffersOf(data));
  } catch (error) {
    port.postMessage({ type: "failed", id, reason: messageOf(error) } satisfies FromDataThread);
  }
});

function buffersOf({ support, query }: TaskData): ArrayBuffer[] {
  return [support.x, support.y, query.x, query.y].map(({ buffer }) => buffer as ArrayBuffer);
}
