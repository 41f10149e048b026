import { metaGradient, metaLayout, minibatchGradient, parameterLayout } from "@mzsr/mzsr";
import type { TaskOutcome } from "@mzsr/shared";
import type { ComputeRequest } from "./compute-messages.js";
import type { PreparedData } from "./prepared-data.js";
import type { TaskData } from "./task-data.js";

/**
 * Computes one task on the active backend: its patches, then its meta-gradient (pretraining: its gradient, with zeros
 * for the learned rates).
 *
 * @param prepared where the task's data come from
 * @param now seconds on any clock, for the outcome's timings
 * @throws Error when θ has not the size that the settings say
 */
export async function computeTask(
  request: ComputeRequest,
  prepared: PreparedData,
  now: () => number,
): Promise<TaskOutcome> {
  const { task } = request;
  const { data, seconds: dataSeconds } = prepared.take(task, request.source);
  const started = now();
  const computed = task.stage === "pretraining" ? await pretrain(request, data) : await metaTrain(request, data);
  const { stage, step, index } = task;
  return { stage, step, index, ...computed, dataSeconds, computeSeconds: now() - started };
}

type Computed = Pick<TaskOutcome, "gradient" | "supportLosses" | "queryLosses">;

async function metaTrain({ task, theta, settings }: ComputeRequest, data: TaskData): Promise<Computed> {
  const { gradient, supportLosses, queryLosses } = await metaGradient({
    ...settings,
    theta,
    stepWeights: task.stepWeights,
    support: data.support,
    query: data.query,
  });
  return { gradient, supportLosses, queryLosses };
}

async function pretrain({ theta, settings }: ComputeRequest, data: TaskData): Promise<Computed> {
  const { architecture, innerSteps, learnedRates } = settings;
  const { size } = metaLayout(architecture, innerSteps, learnedRates);
  if (theta.length !== size) throw new Error(`${theta.length} parameters came; this run has ${size}`);
  const network = theta.subarray(0, parameterLayout(architecture).size);
  const { gradient, loss } = await minibatchGradient(architecture, network, data.support);
  const whole = new Float32Array(size);
  whole.set(gradient);
  return { gradient: whole, supportLosses: [loss], queryLosses: [] };
}
