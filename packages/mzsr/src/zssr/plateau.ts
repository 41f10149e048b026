/**
 * The learning rate of ZSSR (Shocher et al. 2018, §3.3): a line is fitted to the newest reconstruction errors, and when its
 * slope drowns in its own uncertainty, the rate is divided by ten; training ends below the smallest rate.
 */
export interface PlateauOptions {
  readonly learningRate: number;
  readonly smallestRate: number;
}

/** Errors that the line is fitted to. */
const FITTED = 6;
/** The rate falls when the standard deviation of the slope exceeds so many times its descent (the authors' code). */
const SLOPES = 1.5;

export class Plateau {
  readonly #smallestRate: number;
  #rate: number;
  /** Since the rate changed. */
  #errors: number[] = [];

  constructor({ learningRate, smallestRate }: PlateauOptions) {
    this.#rate = learningRate;
    this.#smallestRate = smallestRate;
  }

  get rate(): number {
    return this.#rate;
  }

  /** Nothing more is to be learned. */
  get over(): boolean {
    return this.#rate < this.#smallestRate;
  }

  /** Takes an error, measured at even distances. */
  add(error: number): void {
    this.#errors = [...this.#errors, error].slice(-FITTED);
    if (this.#errors.length < FITTED) return;
    const { slope, deviation } = fittedSlope(this.#errors);
    if (-SLOPES * slope >= deviation) return;
    this.#rate /= 10;
    this.#errors = [];
  }
}

/** Least squares over 0, 1, …, n − 1: the slope and its standard deviation. */
export function fittedSlope(values: readonly number[]): { slope: number; deviation: number } {
  const n = values.length;
  const middle = (n - 1) / 2;
  const mean = values.reduce((sum, value) => sum + value, 0) / n;
  let [products, squares] = [0, 0];
  values.forEach((value, i) => {
    products += (i - middle) * (value - mean);
    squares += (i - middle) ** 2;
  });
  const slope = products / squares;
  const residual = values.reduce((sum, value, i) => sum + (value - mean - slope * (i - middle)) ** 2, 0);
  return { slope, deviation: Math.sqrt(residual / (n - 2) / squares) };
}
