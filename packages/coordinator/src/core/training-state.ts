import type { AdamState, AverageState } from "@mzsr/mzsr";
import type { BackendName } from "@mzsr/shared";

/** All that the rest of a run depends on, besides its configuration and data: what a checkpoint holds. */
export interface TrainingState {
  /** Steps done: `theta` is the parameters before step `step`. */
  readonly step: number;
  /** In layout order. */
  readonly theta: Float32Array;
  /** Parameters before the `history.length` steps that precede `step`, oldest first; as many as pipelining needs. */
  readonly history: readonly Float32Array[];
  readonly adam: AdamState;
  /** The moving average of θ; undefined while the stage keeps none. */
  readonly ema?: AverageState | undefined;
  /** Fixed by the first worker where the configuration says `auto`. */
  readonly backend: BackendName | undefined;
}

/** The state before the first step. */
export function initialTrainingState(theta: Float32Array): TrainingState {
  const { length } = theta;
  const adam = { steps: 0, firstMoment: new Float64Array(length), secondMoment: new Float64Array(length) };
  return { step: 0, theta, history: [], adam, backend: undefined };
}

/** The moving average as parameters, where the state has one. */
export function averagedParameters({ ema }: TrainingState): Float32Array | undefined {
  return ema === undefined ? undefined : Float32Array.from(ema.average);
}
