/**
 * A small regression: standardised inputs, a linear part, and beside it one layer of tanh units for what is not linear.
 *
 *     y = bias + linear · z + out · tanh(hidden · z + hiddenBias),   z = (x − mean) / scale
 */
export interface Regression {
  readonly inputs: number;
  readonly outputs: number;
  /** Units of the hidden layer; 0 for a linear regression. */
  readonly hidden: number;
  /** [inputs] */
  readonly mean: Float32Array;
  /** [inputs] */
  readonly scale: Float32Array;
  /** [inputs, outputs] */
  readonly linear: Float32Array;
  /** [outputs] */
  readonly bias: Float32Array;
  /** [inputs, hidden] */
  readonly hiddenWeights: Float32Array;
  /** [hidden] */
  readonly hiddenBias: Float32Array;
  /** [hidden, outputs] */
  readonly outWeights: Float32Array;
}

/** Standardised inputs further out than this are not followed: what was never seen must not carry the estimate away. */
const FARTHEST = 4;

/**
 * @param x [inputs]
 * @param order input i is x[order[i]]
 * @returns [outputs]
 */
export function predict(regression: Regression, x: Float64Array, order: Int32Array): Float64Array {
  const { inputs, outputs, hidden, mean, scale, linear, hiddenWeights, outWeights } = regression;
  const y = Float64Array.from(regression.bias);
  const units = Float64Array.from(regression.hiddenBias);
  for (let i = 0; i < inputs; i++) {
    const z = Math.min(Math.max((x[order[i]!]! - mean[i]!) / scale[i]!, -FARTHEST), FARTHEST);
    for (let o = 0; o < outputs; o++) y[o]! += z * linear[i * outputs + o]!;
    for (let h = 0; h < hidden; h++) units[h]! += z * hiddenWeights[i * hidden + h]!;
  }
  for (let h = 0; h < hidden; h++) {
    const unit = Math.tanh(units[h]!);
    for (let o = 0; o < outputs; o++) y[o]! += unit * outWeights[h * outputs + o]!;
  }
  return y;
}
