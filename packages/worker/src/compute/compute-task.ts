import type { TaskOutcome } from "@mzsr/shared";
import { metaGradient, metaLayout, minibatchGradient, parameterLayout, taskData } from "@mzsr/shared/compute";
import type { ComputeRequest } from "./compute-messages.js";

/**
 * Computes one task on the active backend: its patches, then its meta-gradient (pretraining: its gradient, with zeros
 * for the learned rates).
 *
 * @param now seconds on any clock, for the outcome's timings
 * @throws Error when θ has not the size that the settings say
 */
export async function computeTask(request: ComputeRequest, now: () => number): Promise<TaskOutcome> {
  const { task } = request;
  const started = now();
  const data = taskData(task, request.crops);
  const prepared = now();
  const computed = task.stage === "pretraining" ? await pretrain(request, data) : await metaTrain(request, data);
  const { stage, step, index } = task;
  return { stage, step, index, ...computed, dataSeconds: prepared - started, computeSeconds: now() - prepared };
}

type Data = ReturnType<typeof taskData>;
type Computed = Pick<TaskOutcome, "gradient" | "supportLosses" | "queryLosses">;

async function metaTrain({ task, theta, settings }: ComputeRequest, data: Data): Promise<Computed> {
  const { gradient, supportLosses, queryLosses } = await metaGradient({
    ...settings,
    theta,
    stepWeights: task.stepWeights,
    support: data.support,
    query: data.query,
  });
  return { gradient, supportLosses, queryLosses };
}

async function pretrain({ theta, settings }: ComputeRequest, data: Data): Promise<Computed> {
  const { architecture, innerSteps, learnedRates } = settings;
  const { size } = metaLayout(architecture, innerSteps, learnedRates);
  if (theta.length !== size) throw new Error(`${theta.length} parameters came; this run has ${size}`);
  const network = theta.subarray(0, parameterLayout(architecture).size);
  const { gradient, loss } = await minibatchGradient(architecture, network, data.support);
  const whole = new Float32Array(size);
  whole.set(gradient);
  return { gradient: whole, supportLosses: [loss], queryLosses: [] };
}
