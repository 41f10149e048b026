/**
 * What the coordinator sends, serialised. A task travels twice, announced and leased, and is most of such a message: it is
 * serialised once. On the wire a message within a message is its bytes, so these messages are encoded with a schema in
 * which a task is `bytes`.
 */
import protobuf from "protobufjs";
import type { Task } from "../tasks/task.js";
import { coordinatorMessageToProto } from "./convert.js";
import { taskToProto } from "./convert-task.js";
import { descriptorJson } from "./generated/descriptor.generated.js";
import type { CoordinatorToWorker } from "./messages.js";
import { clusterService } from "./proto.js";

interface Encoders {
  readonly task: protobuf.Type;
  /** CoordinatorMessage, with tasks that are serialised. */
  readonly message: protobuf.Type;
}

let built: Encoders | undefined;

const serialised = new WeakMap<Task, Uint8Array>();

/** A message of a session as protobuf. */
export function coordinatorMessageBytes(message: CoordinatorToWorker): Uint8Array {
  switch (message.type) {
    case "assign": {
      const leases = message.leases.map((lease) => ({ ...lease, task: taskBytes(lease.task) }));
      return encoders().message.encode({ assign: { leases } }).finish();
    }
    case "announce":
      return encoders()
        .message.encode({ announce: { tasks: message.tasks.map(taskBytes) } })
        .finish();
    default:
      return clusterService().Session.responseSerialize(coordinatorMessageToProto(message));
  }
}

function taskBytes(task: Task): Uint8Array {
  let bytes = serialised.get(task);
  if (bytes === undefined) {
    const { task: type } = encoders();
    bytes = type.encode(type.fromObject(taskToProto(task))).finish();
    serialised.set(task, bytes);
  }
  return bytes;
}

function encoders(): Encoders {
  built ??= { task: schema([]).lookupType(`${PACKAGE}.Task`), message: schema(HOLDING_TASKS).lookupType(MESSAGE) };
  return built;
}

const PACKAGE = "mzsr.v1";
const MESSAGE = `${PACKAGE}.CoordinatorMessage`;
const HOLDING_TASKS = ["Lease", "Announce"];

/** The protocol, with the tasks in these messages as bytes. */
function schema(holders: readonly string[]): protobuf.Root {
  const root = protobuf.Root.fromJSON(JSON.parse(descriptorJson));
  for (const name of holders) {
    const fields = root.lookupType(`${PACKAGE}.${name}`).fieldsArray;
    for (const field of fields) if (field.type === "Task") field.type = "bytes";
  }
  root.resolveAll();
  return root;
}
