/** Tasks and their results as protobuf messages, and back with every field checked. */
import { InputError } from "@mzsr/mzsr";
import { LARGEST_COUNT } from "../exact-sums/exact-sum.js";
import type { PatchSource, RunStage, Task, TaskReport } from "../tasks/task.js";
import { atMost, finiteNumber, oneOf, printable, wholeNumber } from "./checks.js";
import type {
  GroupedTask__Output,
  GroupedTask as ProtoGroupedTask,
} from "./generated/mzsr/v1/GroupedTask.generated.js";
import type { GroupResult__Output, GroupResult as ProtoGroup } from "./generated/mzsr/v1/GroupResult.generated.js";
import type { Kernel__Output } from "./generated/mzsr/v1/Kernel.generated.js";
import type { Patch__Output } from "./generated/mzsr/v1/Patch.generated.js";
import type { Task as ProtoTask, Task__Output } from "./generated/mzsr/v1/Task.generated.js";
import type { TaskResult as ProtoResult, TaskResult__Output } from "./generated/mzsr/v1/TaskResult.generated.js";
import type { GroupedTask, GroupResult, TaskResult } from "./messages.js";

const MAX_UINT32 = 2 ** 32 - 1;
const MAX_PATCHES = 1024;
const MAX_KERNEL_SIZE = 255;
const MAX_INNER_STEPS = 1000;
const MAX_LEASE_ID = 256;

const stageNames = { pretraining: "PRETRAINING", metaTraining: "META_TRAINING" } as const;
const downsamplingNames = { direct: "DIRECT", bicubic: "BICUBIC" } as const;

/** The protobuf name of a stage. */
export function stageToProto(stage: RunStage): "PRETRAINING" | "META_TRAINING" {
  return stageNames[stage];
}

/** The stage that a protobuf name stands for. */
export function stageFromProto(name: unknown, where: string): RunStage {
  const known = oneOf(name, where, ["PRETRAINING", "META_TRAINING"]);
  return known === "PRETRAINING" ? "pretraining" : "metaTraining";
}

/** A step or task index, as a uint32 of the wire. */
export function countFromProto(value: unknown, where: string): number {
  return wholeNumber(value, where, 0, MAX_UINT32);
}

export function taskToProto(task: Task): ProtoTask {
  return {
    stage: stageNames[task.stage],
    step: task.step,
    index: task.index,
    parametersStep: task.parametersStep,
    scale: task.scale,
    downsampling: downsamplingNames[task.downsampling],
    noiseSigma: task.noiseSigma,
    noiseSeed: task.noiseSeed,
    patchSize: task.patchSize,
    supportFromLow: task.supportFrom === "low",
    support: [...task.support],
    query: [...task.query],
    kernels: task.kernels.map((kernel) => ({ size: kernel.size, values: Array.from(kernel.data) })),
    stepWeights: [...task.stepWeights],
  };
}

/** @throws InputError naming the first field that is not usable */
export function taskFromProto(message: Task__Output, where = "task"): Task {
  const kernels = atMost(message.kernels, `${where}.kernels`, MAX_PATCHES).map((kernel, i) =>
    kernelFromProto(kernel, `${where}.kernels[${i}]`),
  );
  const patches = (list: readonly Patch__Output[], name: string) =>
    atMost(list, `${where}.${name}`, MAX_PATCHES).map((patch, i) =>
      patchFromProto(patch, kernels.length, `${where}.${name}[${i}]`),
    );
  const support = patches(message.support, "support");
  if (support.length === 0)
    throw new InputError("is empty", { where: `${where}.support`, expected: "at least one patch" });
  return {
    stage: stageFromProto(message.stage, `${where}.stage`),
    step: countFromProto(message.step, `${where}.step`),
    index: countFromProto(message.index, `${where}.index`),
    parametersStep: wholeNumber(message.parametersStep, `${where}.parametersStep`, 0, message.step),
    scale: wholeNumber(message.scale, `${where}.scale`, 2, 4),
    downsampling:
      oneOf(message.downsampling, `${where}.downsampling`, ["DIRECT", "BICUBIC"]) === "DIRECT" ? "direct" : "bicubic",
    noiseSigma: finiteNumber(message.noiseSigma, `${where}.noiseSigma`, 0, 1),
    noiseSeed: wholeNumber(message.noiseSeed, `${where}.noiseSeed`, 0, Number.MAX_SAFE_INTEGER),
    patchSize: wholeNumber(message.patchSize, `${where}.patchSize`, 8, 4096),
    supportFrom: message.supportFromLow ? "low" : "high",
    support,
    query: patches(message.query, "query"),
    kernels,
    stepWeights: numbers(message.stepWeights, `${where}.stepWeights`, 0),
  };
}

export function resultToProto({ lease, report, gradient }: TaskResult): ProtoResult {
  return { lease, ...reportToProto(report), gradient };
}

/**
 * What a worker says it computed. The form is checked here; whether size, step and numbers are those that were asked
 * for is the coordinator's to judge, so a NaN passes.
 * @throws InputError naming the first field that is not usable
 */
export function resultFromProto(message: TaskResult__Output): TaskResult {
  const lease = leaseIdFromProto(message.lease, "result.lease");
  return {
    lease,
    report: reportFromProto(message, "result"),
    gradient: elements(message.gradient, "result.gradient", 4),
  };
}

export function groupToProto({ tasks, sum }: GroupResult): ProtoGroup {
  return { tasks: tasks.map(groupedTaskToProto), high: sum.high, low: sum.low };
}

/** As `resultFromProto`. @throws InputError naming the first field that is not usable */
export function groupFromProto(message: GroupResult__Output): GroupResult {
  const tasks = atMost(message.tasks, "group.tasks", LARGEST_COUNT).map((task, i): GroupedTask => {
    const where = `group.tasks[${i}]`;
    const lease = leaseIdFromProto(task.lease, `${where}.lease`);
    return { lease, report: reportFromProto(task, where), sha256: sha256FromProto(task.sha256, `${where}.sha256`) };
  });
  const named = new Set(tasks.map(({ lease }) => lease));
  if (tasks.length === 0 || named.size < tasks.length) {
    const what = tasks.length === 0 ? "is empty" : "names a lease twice";
    throw new InputError(what, { where: "group.tasks", expected: "one entry for each of its tasks" });
  }
  const high = elements(message.high, "group.high", 8);
  return { tasks, sum: { high, low: elements(message.low, "group.low", 8), count: tasks.length } };
}

export function leaseIdFromProto(value: unknown, where: string): string {
  return printable(value, where, 1, MAX_LEASE_ID);
}

function groupedTaskToProto({ lease, report, sha256 }: GroupedTask): ProtoGroupedTask {
  return { lease, ...reportToProto(report), sha256: Buffer.from(sha256, "hex") };
}

function reportToProto(report: TaskReport) {
  return {
    stage: stageNames[report.stage],
    step: report.step,
    index: report.index,
    supportLosses: [...report.supportLosses],
    queryLosses: [...report.queryLosses],
    dataSeconds: report.dataSeconds,
    computeSeconds: report.computeSeconds,
  };
}

function reportFromProto(message: TaskResult__Output | GroupedTask__Output, where: string): TaskReport {
  return {
    stage: stageFromProto(message.stage, `${where}.stage`),
    step: countFromProto(message.step, `${where}.step`),
    index: countFromProto(message.index, `${where}.index`),
    supportLosses: atMost(message.supportLosses, `${where}.supportLosses`, MAX_INNER_STEPS),
    queryLosses: atMost(message.queryLosses, `${where}.queryLosses`, MAX_INNER_STEPS),
    dataSeconds: finiteNumber(message.dataSeconds, `${where}.dataSeconds`, 0),
    computeSeconds: finiteNumber(message.computeSeconds, `${where}.computeSeconds`, 0),
  };
}

function sha256FromProto(bytes: Uint8Array, where: string): string {
  if (bytes.byteLength === 32) return Buffer.from(bytes).toString("hex");
  throw new InputError(`${bytes.byteLength} bytes are no SHA-256`, { where, expected: "32 bytes" });
}

/** Whole numbers of `elementBytes` each. */
function elements(bytes: Uint8Array, where: string, elementBytes: 4 | 8): Uint8Array {
  if (bytes.byteLength % elementBytes === 0) return bytes;
  const what = `${bytes.byteLength} bytes are not float${8 * elementBytes} values`;
  throw new InputError(what, { where, expected: `a multiple of ${elementBytes} bytes` });
}

function patchFromProto(patch: Patch__Output, kernels: number, where: string): PatchSource {
  return {
    image: countFromProto(patch.image, `${where}.image`),
    y: countFromProto(patch.y, `${where}.y`),
    x: countFromProto(patch.x, `${where}.x`),
    transform: wholeNumber(patch.transform, `${where}.transform`, 0, 7),
    kernel: wholeNumber(patch.kernel, `${where}.kernel`, 0, Math.max(0, kernels - 1)),
  };
}

function kernelFromProto(message: Kernel__Output, where: string): Task["kernels"][number] {
  const size = wholeNumber(message.size, `${where}.size`, 1, MAX_KERNEL_SIZE);
  if (size % 2 === 0) throw new InputError(`${size} is even`, { where: `${where}.size`, expected: "an odd side" });
  if (message.values.length !== size * size) {
    const what = `${message.values.length} values`;
    throw new InputError(what, { where: `${where}.values`, expected: `${size * size} (${size}×${size})` });
  }
  return { size, data: Float64Array.from(message.values, (value) => finiteNumber(value, `${where}.values`)) };
}

function numbers(values: readonly number[], where: string, min: number): readonly number[] {
  return atMost(values, where, MAX_INNER_STEPS).map((value, i) => finiteNumber(value, `${where}[${i}]`, min));
}
