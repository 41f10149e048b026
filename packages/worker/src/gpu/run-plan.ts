/** How a GPU computes a run's tasks: their shapes, and how many fit at once. */
import {
  type MemoryLimits,
  type MinibatchShape,
  planMemory,
  planMinibatchMemory,
  type TaskShape,
} from "@mzsr/engine-webgpu";
import type { Configuration, RunStage } from "@mzsr/shared";

/** So many tasks at once fill any card. */
export const MOST_TASKS = 32;

/** What the engine of a stage is made for. */
export type StagePlan = { readonly tasks: number; readonly memoryBytes: number } & (
  | { readonly stage: "pretraining"; readonly shape: MinibatchShape }
  | { readonly stage: "metaTraining"; readonly shape: TaskShape }
);

export interface RunPlan {
  readonly stages: Readonly<Record<RunStage, StagePlan>>;
  /** Tasks that the worker takes at a time, where nobody said how many. */
  readonly slots: number;
  /** For people, one line. */
  readonly line: string;
}

export interface RunPlanOptions {
  /** Tasks of a batch, at most. */
  readonly tasks: number;
  readonly memoryBytes: number;
  readonly limits: MemoryLimits;
}

/** @throws InputError when not even one task of a stage that the run has fits, saying what to lower */
export function planRun(configuration: Configuration, options: RunPlanOptions): RunPlan {
  const { pretraining, metaTraining } = configuration;
  const minibatches = pretrainingShape(configuration);
  const tasks = taskShape(configuration);
  const first = pretraining.steps > 0 ? planMinibatchMemory(minibatches, options) : undefined;
  const second = metaTraining.steps > 0 || first === undefined ? planMemory(tasks, options) : undefined;
  const { memoryBytes } = options;
  const lines = [
    ...(first === undefined ? [] : [`pretraining: up to ${first.tasks} tasks a batch`]),
    ...(second === undefined ? [] : [`meta-training: ${second.line}`]),
  ];
  return {
    stages: {
      pretraining: { stage: "pretraining", shape: minibatches, tasks: first?.tasks ?? 1, memoryBytes },
      metaTraining: { stage: "metaTraining", shape: tasks, tasks: second?.tasks ?? 1, memoryBytes },
    },
    slots: second?.tasks ?? first!.tasks,
    line: lines.join("; "),
  };
}

function pretrainingShape({ model, pretraining }: Configuration): MinibatchShape {
  const { batch, tasks, patchSize } = pretraining;
  const patches = { patches: Math.ceil(batch / tasks), height: patchSize, width: patchSize };
  return { architecture: model, patches };
}

function taskShape({ model, metaTraining }: Configuration): TaskShape {
  const { support, query, patchSize, innerSteps, learnedRates, order } = metaTraining;
  const patches = (count: number) => ({ patches: count, height: patchSize, width: patchSize });
  return {
    architecture: model,
    support: patches(support),
    query: patches(query),
    innerSteps,
    learnedRates,
    order: order === "first" ? 1 : 2,
  };
}
