/** Entry of a thread that computes tiles and gradients of a photo for another. */
import { workerData } from "node:worker_threads";
import { type NetworkRequest, NetworkThread } from "@mzsr/mzsr";
import { serveTasks } from "../../threads/serve-tasks.js";
import { useBackend } from "../use-backend.js";

const network = new NetworkThread();
const started = useBackend({ backend: workerData as string });
// Whoever asks for something hears of a failure.
started.catch(() => undefined);

// One request at a time: the next one comes when this is answered.
serveTasks<NetworkRequest, unknown>(async (request) => {
  await started;
  return network.answer(request);
});
