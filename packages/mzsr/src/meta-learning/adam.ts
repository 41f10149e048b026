export interface AdamOptions {
  /** Decay of the first moment. */
  readonly beta1?: number;
  /** Decay of the second moment. */
  readonly beta2?: number;
  /** Added to the root of the bias-corrected second moment. */
  readonly epsilon?: number;
}

/** Elements [from, to) of the state, which learn with their own rate. */
export interface RateSegment {
  readonly from: number;
  readonly to: number;
  readonly rate: number;
}

/** Everything that the next step depends on. */
export interface AdamState {
  /** Steps done. */
  readonly steps: number;
  readonly firstMoment: Float64Array;
  readonly secondMoment: Float64Array;
}

/**
 * Adam (Kingma and Ba 2015, algorithm 1) in float64 throughout, so that the outer update is the same everywhere and
 * only the caller rounds, once, to float32.
 */
export class Adam {
  readonly #beta1: number;
  readonly #beta2: number;
  readonly #epsilon: number;
  readonly #firstMoment: Float64Array;
  readonly #secondMoment: Float64Array;
  #steps = 0;

  constructor(size: number, { beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8 }: AdamOptions = {}) {
    this.#beta1 = beta1;
    this.#beta2 = beta2;
    this.#epsilon = epsilon;
    this.#firstMoment = new Float64Array(size);
    this.#secondMoment = new Float64Array(size);
  }

  /** An optimiser that goes on from a checkpoint; the moments are copied. */
  static fromState(state: AdamState, options?: AdamOptions): Adam {
    const adam = new Adam(state.firstMoment.length, options);
    adam.#firstMoment.set(state.firstMoment);
    adam.#secondMoment.set(state.secondMoment);
    adam.#steps = state.steps;
    return adam;
  }

  /** The state as it is now; the moments are views, to be written out before the next step. */
  get state(): AdamState {
    return { steps: this.#steps, firstMoment: this.#firstMoment, secondMoment: this.#secondMoment };
  }

  /**
   * Moves `theta` in place by one step along `gradient`.
   *
   * @param rate one rate for all elements, or segments that cover what shall move
   */
  step(theta: Float64Array, gradient: ArrayLike<number>, rate: number | readonly RateSegment[]): void {
    this.#steps++;
    const segments = typeof rate === "number" ? [{ from: 0, to: theta.length, rate }] : rate;
    for (const segment of segments) this.#stepSegment(theta, gradient, segment);
  }

  #stepSegment(theta: Float64Array, gradient: ArrayLike<number>, { from, to, rate }: RateSegment): void {
    const beta1 = this.#beta1;
    const beta2 = this.#beta2;
    const firstCorrection = 1 - power(beta1, this.#steps);
    const secondCorrection = 1 - power(beta2, this.#steps);
    for (let i = from; i < to; i++) {
      const g = gradient[i]!;
      const m = beta1 * this.#firstMoment[i]! + (1 - beta1) * g;
      const v = beta2 * this.#secondMoment[i]! + (1 - beta2) * g * g;
      this.#firstMoment[i] = m;
      this.#secondMoment[i] = v;
      theta[i] = theta[i]! - (rate * (m / firstCorrection)) / (Math.sqrt(v / secondCorrection) + this.#epsilon);
    }
  }
}

/** Integer power by squaring: unlike `**`, the same bits in every engine. */
export function power(base: number, exponent: number): number {
  let result = 1;
  for (let square = base, rest = exponent; rest > 0; square *= square, rest = Math.floor(rest / 2)) {
    if (rest % 2 === 1) result *= square;
  }
  return result;
}
