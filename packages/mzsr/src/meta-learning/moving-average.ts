import { power } from "./adam.js";

/** Everything that the next average depends on. */
export interface AverageState {
  /** Parameters averaged so far. */
  readonly steps: number;
  /** Their average; zeros where there were none. */
  readonly average: Float64Array;
}

/**
 * The exponential moving average (EMA) of parameters, in float64: of θ_1 … θ_n, those k steps back weigh decay^k, and the
 * weights sum to 1 from the first step on (the bias correction of Kingma and Ba 2015, section 3).
 */
export class MovingAverage {
  readonly #decay: number;
  readonly #average: Float64Array;
  #steps: number;

  /** @param decay in (0, 1) @param state what to go on from; copied */
  constructor(decay: number, state: AverageState) {
    this.#decay = decay;
    this.#average = state.average.slice();
    this.#steps = state.steps;
  }

  /** A copy. */
  snapshot(): AverageState {
    return { steps: this.#steps, average: this.#average.slice() };
  }

  add(parameters: Float32Array): void {
    this.#steps++;
    const weight = (1 - this.#decay) / (1 - power(this.#decay, this.#steps));
    const average = this.#average;
    for (let i = 0; i < average.length; i++) average[i] = average[i]! + weight * (parameters[i]! - average[i]!);
  }
}
