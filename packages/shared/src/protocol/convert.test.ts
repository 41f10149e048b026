import { InputError } from "@mzsr/mzsr";
import { sampleReport as report, sampleTask as task } from "@mzsr/testing/sample-task";
import { describe, expect, it } from "vitest";
import { configurationSchema } from "../config/schema.js";
import {
  coordinatorMessageFromProto,
  coordinatorMessageToProto,
  workerMessageFromProto,
  workerMessageToProto,
} from "./convert.js";
import { coordinatorMessageBytes } from "./coordinator-bytes.js";
import { floatsFromBytes, floatsToBytes } from "./float-bytes.js";
import type { CoordinatorToWorker, WorkerToCoordinator } from "./messages.js";
import { clusterService } from "./proto.js";

const session = clusterService().Session;

/** Through the real serialiser and back, as over a socket. */
function overTheWire(message: WorkerToCoordinator): WorkerToCoordinator {
  return workerMessageFromProto(session.requestDeserialize(session.requestSerialize(workerMessageToProto(message))));
}
function backOverTheWire(message: CoordinatorToWorker): CoordinatorToWorker {
  const bytes = session.responseSerialize(coordinatorMessageToProto(message));
  return coordinatorMessageFromProto(session.responseDeserialize(bytes));
}

const hello = {
  type: "hello",
  protocolVersion: 1,
  worker: "snail-1",
  incarnation: "abc",
  backend: "simd",
  slots: 2,
  version: "0.1.0",
  host: "snail",
  metricsAddress: "",
} as const;

describe("messages over the wire", () => {
  it.each<WorkerToCoordinator>([
    hello,
    { type: "result", lease: "l1", report, gradient: Buffer.of(1, 2, 3, 4) },
    {
      type: "group",
      tasks: [
        { lease: "l1", report, sha256: "0f".repeat(32) },
        { lease: "l2", report: { ...report, index: 9 }, sha256: "f0".repeat(32) },
      ],
      sum: { high: Buffer.alloc(16, 1), low: Buffer.alloc(16, 2), count: 2 },
    },
    { type: "failure", lease: "l1", reason: "out of memory" },
    { type: "goodbye", reason: "SIGTERM" },
    { type: "heartbeat", sentAtMs: 1_700_000_000_123, busySlots: 3 },
  ])("keep every field of a worker's $type", (message) => {
    expect(overTheWire(message)).toEqual(message);
  });

  it.each<CoordinatorToWorker>([
    {
      type: "welcome",
      run: "first",
      configuration: configurationSchema.parse({ seed: 9 }),
      images: [{ sha256: "0f".repeat(32), name: "a.png", bytes: 5e9 }],
      heartbeatSeconds: 1,
      incarnation: "e",
    },
    { type: "parameters", stage: "metaTraining", step: 3, theta: Float32Array.of(0.1, 0.2) },
    {
      type: "assign",
      leases: [
        { id: "l1", task, groupable: true },
        { id: "l2", task, groupable: false },
      ],
    },
    { type: "announce", tasks: [task] },
    { type: "cancel", leases: ["l1", "l2"] },
    { type: "drain", reason: "finished", finished: true },
    { type: "refusal", reason: "wrong token", retry: false },
  ])("keep every field of the coordinator's $type", (message) => {
    expect(backOverTheWire(message)).toEqual(message);
    const generic = session.responseSerialize(coordinatorMessageToProto(message));
    expect(Buffer.from(coordinatorMessageBytes(message)), "the same bytes, with tasks serialised once").toEqual(
      generic,
    );
  });
});

describe("what arrives broken is refused with the field's name", () => {
  const fromWorker = (message: object) => () => overTheWire(message as WorkerToCoordinator);
  const grouped = { lease: "l1", report, sha256: "0f".repeat(32) };
  const sum = { high: Buffer.alloc(8), low: Buffer.alloc(8), count: 1 };
  const group = (changes: object) => fromWorker({ type: "group", tasks: [grouped], sum, ...changes });
  const assign = (changes: object) => () =>
    backOverTheWire({ type: "assign", leases: [{ id: "l", task: { ...task, ...changes }, groupable: false }] });

  it.each([
    ["no slots", fromWorker({ ...hello, slots: 0 }), /hello\.slots: 0 .*from 1/],
    ["an unknown backend", fromWorker({ ...hello, backend: "abacus" }), /hello\.backend: "abacus" .*simd/],
    ["an empty worker name", fromWorker({ ...hello, worker: "" }), /hello\.worker/],
    ["a name with line breaks", fromWorker({ ...hello, worker: "a\nb" }), /hello\.worker/],
    ["a group of nothing", group({ tasks: [] }), /group\.tasks: is empty/],
    ["a lease twice in a group", group({ tasks: [grouped, grouped] }), /group\.tasks: names a lease twice/],
    ["a short hash", group({ tasks: [{ ...grouped, sha256: "0f" }] }), /tasks\[0\]\.sha256: 1 bytes .*32/],
    ["a sum cut within a number", group({ sum: { high: Buffer.alloc(12), low: Buffer.alloc(8) } }), /group\.high: 12/],
    ["a scale of 5", assign({ scale: 5 }), /task\.scale: 5 .*from 2 to 4/],
    ["no support patches", assign({ support: [] }), /task\.support/],
    ["a transform of 8", assign({ query: [{ ...task.query[0], transform: 8 }] }), /query\[0\]\.transform/],
    ["a kernel that is not there", assign({ query: [{ ...task.query[0], kernel: 1 }] }), /query\[0\]\.kernel/],
    ["parameters from the future", assign({ parametersStep: 70_001 }), /parametersStep/],
    ["too few kernel values", assign({ kernels: [{ size: 5, data: task.kernels[0]?.data }] }), /9 values; expected 25/],
    ["a kernel with NaN", assign({ kernels: [{ size: 1, data: [Number.NaN] }] }), /kernels\[0\]\.values: NaN/],
  ])("%s", (_, act, message) => {
    expect(act).toThrow(InputError);
    expect(act).toThrow(message);
  });

  it("a message of no kind", () => {
    expect(() => workerMessageFromProto(session.requestDeserialize(Buffer.alloc(0)))).toThrow(/no known kind/);
  });

  it("a gradient cut within a number", () => {
    const bytes = session.requestSerialize({ result: { lease: "l", stage: "PRETRAINING", gradient: Buffer.alloc(7) } });
    expect(() => workerMessageFromProto(session.requestDeserialize(bytes))).toThrow(/result\.gradient: 7 bytes/);
  });

  it("a configuration with an unknown key", () => {
    const configurationJson = JSON.stringify({ colour: "red" });
    const bytes = session.responseSerialize({
      welcome: { run: "r", epoch: "e", heartbeatSeconds: 1, configurationJson },
    });
    expect(() => coordinatorMessageFromProto(session.responseDeserialize(bytes))).toThrow(/colour/);
  });
});

describe("float32 values as bytes", () => {
  it("share memory when aligned and survive when not", () => {
    const values = Float32Array.of(1.5, -2, 1e-40);
    expect(floatsToBytes(values).buffer).toBe(values.buffer);
    const shifted = new Uint8Array(13);
    shifted.set(floatsToBytes(values), 1);
    expect(floatsFromBytes(shifted.subarray(1), "x")).toEqual(values);
    const aligned = Uint8Array.from(floatsToBytes(values));
    expect(floatsFromBytes(aligned, "x").buffer).toBe(aligned.buffer);
  });
});
