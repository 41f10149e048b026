/** Messages of a session as protobuf, and back with every field checked: the border between the wire and the program. */

import { InputError, messageOf } from "@mzsr/mzsr";
import { BACKEND_NAMES, configurationSchema } from "../config/schema.js";
import { atMost, finiteNumber, oneOf, present, printable, wholeNumber } from "./checks.js";
import {
  countFromProto,
  groupFromProto,
  groupToProto,
  leaseIdFromProto,
  resultFromProto,
  resultToProto,
  stageFromProto,
  stageToProto,
  taskFromProto,
  taskToProto,
} from "./convert-task.js";
import { floatsFromBytes, floatsToBytes } from "./float-bytes.js";
import type {
  CoordinatorMessage__Output,
  CoordinatorMessage as ProtoCoordinatorMessage,
} from "./generated/mzsr/v1/CoordinatorMessage.generated.js";
import type { Hello__Output } from "./generated/mzsr/v1/Hello.generated.js";
import type { Welcome__Output } from "./generated/mzsr/v1/Welcome.generated.js";
import type {
  WorkerMessage as ProtoWorkerMessage,
  WorkerMessage__Output,
} from "./generated/mzsr/v1/WorkerMessage.generated.js";
import type { CoordinatorToWorker, DatasetImage, Hello, Welcome, WorkerToCoordinator } from "./messages.js";
import { visible } from "./visible.js";

const MAX_REASON = 4096;
const MAX_NAME = 256;
const MAX_LEASES = 4096;
const MAX_SLOTS = 4096;

export function workerMessageToProto(message: WorkerToCoordinator): ProtoWorkerMessage {
  switch (message.type) {
    case "hello": {
      const { type: _, ...hello } = message;
      return { hello };
    }
    case "result":
      return { result: resultToProto(message) };
    case "group":
      return { group: groupToProto(message) };
    case "failure":
      return { failure: { lease: message.lease, reason: message.reason.slice(0, MAX_REASON) } };
    case "goodbye":
      return { goodbye: { reason: message.reason.slice(0, MAX_REASON) } };
    case "heartbeat":
      return { heartbeat: { sentAtMs: message.sentAtMs, busySlots: message.busySlots } };
  }
}

/**
 * A message that a worker sent.
 * @throws InputError naming the first field that is not usable
 */
export function workerMessageFromProto(wire: WorkerMessage__Output): WorkerToCoordinator {
  switch (wire.message) {
    case "hello":
      return { type: "hello", ...helloFromProto(present(wire.hello, "hello")) };
    case "result":
      return { type: "result", ...resultFromProto(present(wire.result, "result")) };
    case "group":
      return { type: "group", ...groupFromProto(present(wire.group, "group")) };
    case "failure": {
      const failure = present(wire.failure, "failure");
      return {
        type: "failure",
        lease: leaseIdFromProto(failure.lease, "failure.lease"),
        reason: reason(failure.reason),
      };
    }
    case "goodbye":
      return { type: "goodbye", reason: reason(wire.goodbye?.reason) };
    case "heartbeat": {
      const heartbeat = present(wire.heartbeat, "heartbeat");
      return {
        type: "heartbeat",
        sentAtMs: wholeNumber(heartbeat.sentAtMs, "heartbeat.sentAtMs", 0, Number.MAX_SAFE_INTEGER),
        busySlots: wholeNumber(heartbeat.busySlots, "heartbeat.busySlots", 0, MAX_SLOTS),
      };
    }
    default:
      throw unknownMessage("hello, result, group, failure, goodbye or heartbeat");
  }
}

export function coordinatorMessageToProto(message: CoordinatorToWorker): ProtoCoordinatorMessage {
  switch (message.type) {
    case "welcome":
      return {
        welcome: {
          run: message.run,
          configurationJson: JSON.stringify(message.configuration),
          images: [...message.images],
          heartbeatSeconds: message.heartbeatSeconds,
          epoch: message.incarnation,
        },
      };
    case "parameters":
      return {
        parameters: { stage: stageToProto(message.stage), step: message.step, theta: floatsToBytes(message.theta) },
      };
    case "assign":
      return { assign: { leases: message.leases.map((lease) => ({ ...lease, task: taskToProto(lease.task) })) } };
    case "announce":
      return { announce: { tasks: message.tasks.map(taskToProto) } };
    case "cancel":
      return { cancel: { leases: [...message.leases] } };
    case "drain":
      return { drain: { reason: message.reason.slice(0, MAX_REASON), finished: message.finished } };
    case "refusal":
      return { refusal: { reason: message.reason.slice(0, MAX_REASON), retry: message.retry } };
  }
}

/**
 * A message that the coordinator sent.
 * @throws InputError naming the first field that is not usable
 */
export function coordinatorMessageFromProto(wire: CoordinatorMessage__Output): CoordinatorToWorker {
  switch (wire.message) {
    case "welcome":
      return { type: "welcome", ...welcomeFromProto(present(wire.welcome, "welcome")) };
    case "parameters": {
      const parameters = present(wire.parameters, "parameters");
      return {
        type: "parameters",
        stage: stageFromProto(parameters.stage, "parameters.stage"),
        step: countFromProto(parameters.step, "parameters.step"),
        theta: floatsFromBytes(parameters.theta, "parameters.theta"),
      };
    }
    case "assign": {
      const leases = atMost(present(wire.assign, "assign").leases, "assign.leases", MAX_LEASES);
      return {
        type: "assign",
        leases: leases.map((lease, i) => ({
          id: leaseIdFromProto(lease.id, `leases[${i}].id`),
          task: taskFromProto(present(lease.task, `leases[${i}].task`), `leases[${i}].task`),
          groupable: lease.groupable,
        })),
      };
    }
    case "announce": {
      const tasks = atMost(present(wire.announce, "announce").tasks, "announce.tasks", MAX_LEASES);
      return { type: "announce", tasks: tasks.map((task, i) => taskFromProto(task, `announce.tasks[${i}]`)) };
    }
    case "cancel": {
      const leases = atMost(present(wire.cancel, "cancel").leases, "cancel.leases", MAX_LEASES);
      return { type: "cancel", leases: leases.map((id, i) => leaseIdFromProto(id, `cancel.leases[${i}]`)) };
    }
    case "drain":
      return { type: "drain", reason: reason(wire.drain?.reason), finished: wire.drain?.finished ?? false };
    case "refusal":
      return { type: "refusal", reason: reason(wire.refusal?.reason), retry: wire.refusal?.retry ?? false };
    default:
      throw unknownMessage("welcome, parameters, assign, announce, cancel, drain or refusal");
  }
}

function helloFromProto(message: Hello__Output): Hello {
  return {
    protocolVersion: countFromProto(message.protocolVersion, "hello.protocolVersion"),
    worker: printable(message.worker, "hello.worker", 1, MAX_NAME),
    incarnation: printable(message.incarnation, "hello.incarnation", 1, MAX_NAME),
    backend: oneOf(message.backend, "hello.backend", BACKEND_NAMES),
    slots: wholeNumber(message.slots, "hello.slots", 1, MAX_SLOTS),
    version: printable(message.version, "hello.version", 0, MAX_NAME),
    host: printable(message.host, "hello.host", 0, MAX_NAME),
    metricsAddress: printable(message.metricsAddress, "hello.metricsAddress", 0, MAX_NAME),
  };
}

function welcomeFromProto(message: Welcome__Output): Welcome {
  return {
    run: printable(message.run, "welcome.run", 1, MAX_NAME),
    configuration: configurationFromJson(message.configurationJson),
    images: message.images.map((image, i): DatasetImage => {
      const where = `welcome.images[${i}]`;
      if (!/^[0-9a-f]{64}$/.test(image.sha256)) {
        throw new InputError(`${JSON.stringify(image.sha256)} is not a SHA-256`, { where, expected: "64 hex digits" });
      }
      const bytes = wholeNumber(image.bytes, `${where}.bytes`, 1, Number.MAX_SAFE_INTEGER);
      return { sha256: image.sha256, name: printable(image.name, `${where}.name`, 1, MAX_NAME), bytes };
    }),
    heartbeatSeconds: finiteNumber(message.heartbeatSeconds, "welcome.heartbeatSeconds", 0.01, 3600),
    incarnation: printable(message.epoch, "welcome.epoch", 1, MAX_NAME),
  };
}

function configurationFromJson(json: string): Welcome["configuration"] {
  const where = "welcome.configuration";
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (error) {
    throw new InputError(`is not JSON (${messageOf(error)})`, { where });
  }
  const parsed = configurationSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new InputError(`${issue?.path.join(".") ?? ""}: ${issue?.message ?? "is not valid"}`, { where });
}

/** Reasons are for people to read: they are made fit for a line of text rather than refused. */
function reason(value: string | undefined): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is taken out.
  return visible((value ?? "").slice(0, MAX_REASON).replace(/[\u0000-\u001f\u007f]+/g, " "));
}

function unknownMessage(expected: string): InputError {
  return new InputError("a message of no known kind arrived", { where: "session", expected });
}
