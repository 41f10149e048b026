/** Tasks and their outcomes as protobuf messages, and back with every field checked. */
import { InputError } from "@mzsr/mzsr";
import type { PatchSource, RunStage, Task, TaskOutcome } from "../tasks/task.js";
import { atMost, finiteNumber, oneOf, wholeNumber } from "./checks.js";
import { floatsFromBytes, floatsToBytes } from "./float-bytes.js";
import type { Kernel__Output } from "./generated/mzsr/v1/Kernel.generated.js";
import type { Patch__Output } from "./generated/mzsr/v1/Patch.generated.js";
import type { Task as ProtoTask, Task__Output } from "./generated/mzsr/v1/Task.generated.js";
import type { TaskResult as ProtoResult, TaskResult__Output } from "./generated/mzsr/v1/TaskResult.generated.js";

const MAX_UINT32 = 2 ** 32 - 1;
const MAX_PATCHES = 1024;
const MAX_KERNEL_SIZE = 255;
const MAX_INNER_STEPS = 1000;

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

export function outcomeToProto(lease: string, outcome: TaskOutcome): ProtoResult {
  return {
    lease,
    stage: stageNames[outcome.stage],
    step: outcome.step,
    index: outcome.index,
    gradient: floatsToBytes(outcome.gradient),
    supportLosses: [...outcome.supportLosses],
    queryLosses: [...outcome.queryLosses],
    dataSeconds: outcome.dataSeconds,
    computeSeconds: outcome.computeSeconds,
  };
}

/**
 * What a worker says it computed. The form is checked here; whether size, step and numbers are those that were asked
 * for is the coordinator's to judge, so a NaN passes.
 * @throws InputError naming the first field that is not usable
 */
export function outcomeFromProto(message: TaskResult__Output, where = "result"): TaskOutcome {
  return {
    stage: stageFromProto(message.stage, `${where}.stage`),
    step: countFromProto(message.step, `${where}.step`),
    index: countFromProto(message.index, `${where}.index`),
    gradient: floatsFromBytes(message.gradient, `${where}.gradient`),
    supportLosses: atMost(message.supportLosses, `${where}.supportLosses`, MAX_INNER_STEPS),
    queryLosses: atMost(message.queryLosses, `${where}.queryLosses`, MAX_INNER_STEPS),
    dataSeconds: finiteNumber(message.dataSeconds, `${where}.dataSeconds`, 0),
    computeSeconds: finiteNumber(message.computeSeconds, `${where}.computeSeconds`, 0),
  };
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
