/** Computes batches of tasks on a GPU that is open. */
import { type BatchTimes, type EngineDevice, MetaGradientEngine, MinibatchEngine } from "@mzsr/engine-webgpu";
import { metaLayout, parameterLayout, RunError } from "@mzsr/mzsr";
import type { Batch, BatchResult } from "./gpu-messages.js";
import type { StagePlan } from "./run-plan.js";

type Engine =
  | { readonly stage: "pretraining"; readonly engine: MinibatchEngine }
  | { readonly stage: "metaTraining"; readonly engine: MetaGradientEngine };

interface Computed {
  readonly results: BatchResult[];
  readonly times: BatchTimes;
}

/** The engine of the newest batch's plan stays; another plan's takes its place, since the memory is planned for one. */
export class GpuTasks {
  readonly #device: EngineDevice;
  readonly #running = new Set<Promise<unknown>>();
  #current: { readonly key: string; readonly engine: Engine } | undefined;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(device: EngineDevice) {
    this.#device = device;
  }

  /**
   * Computes one batch. The next may be given before it is done: its data then go to the GPU meanwhile.
   *
   * @returns results in the tasks' order
   * @throws InputError when a task is not as the plan says, or RunError when the device fails: for all tasks of the batch
   */
  async run(batch: Batch): Promise<Computed> {
    const { running } = await this.#inTurn(() => this.#begin(batch));
    return running;
  }

  /** Begins when all before it have begun, so that what is on its way is known when an engine gives way to another. */
  async #begin(batch: Batch): Promise<{ readonly running: Promise<Computed> }> {
    const running = compute(await this.#engineFor(batch.plan), batch);
    this.#running.add(running);
    const done = () => this.#running.delete(running);
    running.then(done, done);
    return { running };
  }

  #inTurn<T>(action: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(action);
    this.#turn = turn.catch(() => undefined);
    return turn;
  }

  async #engineFor(plan: StagePlan): Promise<Engine> {
    const key = JSON.stringify(plan);
    if (this.#current?.key === key) return this.#current.engine;
    await Promise.allSettled(this.#running);
    this.#current?.engine.engine.destroy();
    this.#current = undefined;
    const engine = await engineOf(this.#device, plan);
    this.#current = { key, engine };
    return engine;
  }
}

async function engineOf(device: EngineDevice, plan: StagePlan): Promise<Engine> {
  const { tasks, memoryBytes } = plan;
  return plan.stage === "pretraining"
    ? { stage: plan.stage, engine: await MinibatchEngine.create(device, plan.shape, { tasks, memoryBytes }) }
    : { stage: plan.stage, engine: await MetaGradientEngine.create(device, plan.shape, { tasks, memoryBytes }) };
}

async function compute(engine: Engine, batch: Batch): Promise<Computed> {
  let times: BatchTimes = { upload: 0, compute: 0, readBack: 0 };
  const took = (measured: BatchTimes) => {
    times = measured;
  };
  const results =
    engine.stage === "pretraining"
      ? await pretrain(engine.engine, batch, took)
      : await metaTrain(engine.engine, batch, took);
  return { results, times };
}

async function metaTrain(
  engine: MetaGradientEngine,
  { tasks, settings: { innerRate } }: Batch,
  took: (times: BatchTimes) => void,
): Promise<BatchResult[]> {
  const problems = tasks.map(({ theta, stepWeights, data: { support, query } }) => ({
    ...{ theta, stepWeights, innerRate, support, query },
  }));
  const results = await engine.run(problems, took);
  return results.map(({ gradient, supportLosses, queryLosses }) => ({ gradient, supportLosses, queryLosses }));
}

/** Plain gradients of the network, with zeros for the learned rates. */
async function pretrain(
  engine: MinibatchEngine,
  { tasks, settings }: Batch,
  took: (times: BatchTimes) => void,
): Promise<BatchResult[]> {
  const { architecture, innerSteps, learnedRates } = settings;
  const { size } = metaLayout(architecture, innerSteps, learnedRates);
  const networks = new Map<Float32Array, Float32Array>();
  for (const { theta } of tasks) {
    if (theta.length !== size) throw new RunError(`${theta.length} parameters came; this run has ${size}`);
    networks.set(theta, theta.subarray(0, parameterLayout(architecture).size));
  }
  const minibatches = tasks.map(({ theta, data }) => ({ parameters: networks.get(theta)!, pairs: data.support }));
  const results = await engine.run(minibatches, took);
  return results.map(({ gradient, loss }) => {
    const whole = new Float32Array(size);
    whole.set(gradient);
    return { gradient: whole, supportLosses: [loss], queryLosses: [] };
  });
}
