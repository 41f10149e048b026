/** Entry of a compute thread: starts its backend once, then computes one task after the other. */
import { performance } from "node:perf_hooks";
import { parentPort, workerData } from "node:worker_threads";
import { InputError, messageOf } from "@mzsr/mzsr";
import { enableProdMode, memory } from "@tensorflow/tfjs-core";
import { backendStarters, startBackend } from "./backends.js";
import type { FromThread, ThreadData, ToThread } from "./compute-messages.js";
import { computeTask } from "./compute-task.js";
import { PreparedData } from "./prepared-data.js";

const port = parentPort;
if (port === null) throw new Error("compute-thread.js is the entry of a worker thread");

const say = (message: FromThread, transfer: ArrayBuffer[] = []) => port.postMessage(message, transfer);
const nowSeconds = () => performance.now() / 1000;
const prepared = new PreparedData(nowSeconds);

function onMessage(message: ToThread): void {
  if (message.type === "compute") void compute(message);
  else prepare(message);
}

function prepare({ id, task, crops }: ToThread & { type: "prepare" }): void {
  const start = nowSeconds();
  prepared.prepare(id, task, crops);
  say({ type: "prepared", id, seconds: nowSeconds() - start });
}

async function compute({ id, request }: ToThread & { type: "compute" }): Promise<void> {
  try {
    const outcome = await computeTask(request, prepared, nowSeconds);
    say({ type: "done", id, outcome, tensorBytes: memory().numBytes }, [outcome.gradient.buffer as ArrayBuffer]);
  } catch (error) {
    say({ type: "failed", id, reason: messageOf(error), tensorBytes: memory().numBytes });
  }
}

// Otherwise the plain JavaScript backend greets with an advertisement for another one.
enableProdMode();
try {
  const { backend } = workerData as ThreadData;
  // Workers compute on such GPUs in a way of their own (gpu/gpu-computer.ts).
  const starters = backendStarters().filter(({ name }) => name !== "webgpu");
  const { name, description, reasons } = await startBackend(backend, starters);
  port.on("message", onMessage);
  say({ type: "ready", backend: { name, description, reasons } });
} catch (error) {
  say({ type: "broken", reason: messageOf(error), badInput: error instanceof InputError });
}
