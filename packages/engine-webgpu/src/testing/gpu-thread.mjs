// A thread with a device of its own: computes one minibatch's gradient and tells it.
import { parentPort, workerData } from "node:worker_threads";
import { MinibatchEngine, openDevice } from "@mzsr/engine-webgpu";

const device = await openDevice(workerData);
const patches = { patches: 1, height: 5, width: 6 };
const engine = await MinibatchEngine.create(device, { architecture: { depth: 2, width: 3 }, patches }, { tasks: 1 });
const wave = (count) => Float32Array.from({ length: count }, (_, i) => Math.sin(i));
const pairs = { shape: [1, 5, 6, 3], x: wave(90), y: wave(90).reverse() };
const [result] = await engine.run([{ parameters: wave(168), pairs }]);
parentPort.postMessage(result);
engine.destroy();
device.destroy();
