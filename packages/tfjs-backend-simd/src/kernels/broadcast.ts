import * as tf from "@tensorflow/tfjs-core";

/** How a binary operation walks its operands: `rows` runs of `inner` elements, once for each pair of offsets. */
export interface BroadcastPlan {
  readonly shape: number[];
  readonly rows: number;
  readonly inner: number;
  /** Elements from one row to the next. */
  readonly aRow: number;
  readonly bRow: number;
  /** Elements from one element to the next within a row: 1, or 0 where one element stands for the row. */
  readonly aStep: number;
  readonly bStep: number;
  /** Elements at which the runs start in a and b; in the output they follow each other. */
  readonly starts: readonly (readonly [number, number])[];
}

interface Axis {
  size: number;
  a: number;
  b: number;
}

/** Plan for two shapes under NumPy's broadcasting rules; axes that both operands walk alike are joined. */
export function planBroadcast(aShape: number[], bShape: number[]): BroadcastPlan {
  const shape = tf.backend_util.assertAndGetBroadcastShape(aShape, bShape);
  const axes = joinAxes(shape, strides(aShape, shape.length), strides(bShape, shape.length));
  const inner = axes.pop() ?? { size: 1, a: 0, b: 0 };
  const rows = axes.pop() ?? { size: 1, a: 0, b: 0 };
  let starts: [number, number][] = [[0, 0]];
  for (const axis of axes) {
    starts = starts.flatMap(([a, b]) =>
      Array.from({ length: axis.size }, (_, i): [number, number] => [a + i * axis.a, b + i * axis.b]),
    );
  }
  return {
    shape,
    rows: rows.size,
    inner: inner.size,
    aRow: rows.a,
    bRow: rows.b,
    aStep: inner.a,
    bStep: inner.b,
    starts,
  };
}

/** Elements between neighbours along each axis of the output; 0 where the operand repeats. */
function strides(shape: readonly number[], rank: number): number[] {
  const result = new Array<number>(rank).fill(0);
  let step = 1;
  for (let i = shape.length - 1; i >= 0; i--) {
    if (shape[i]! > 1) result[i + rank - shape.length] = step;
    step *= shape[i]!;
  }
  return result;
}

function joinAxes(shape: readonly number[], a: readonly number[], b: readonly number[]): Axis[] {
  const axes: Axis[] = [];
  for (let i = 0; i < shape.length; i++) {
    const axis = { size: shape[i]!, a: a[i]!, b: b[i]! };
    if (axis.size === 1) continue;
    const outer = axes.at(-1);
    if (outer !== undefined && outer.a === axis.a * axis.size && outer.b === axis.b * axis.size) {
      axes[axes.length - 1] = { ...axis, size: outer.size * axis.size };
    } else {
      axes.push(axis);
    }
  }
  return axes;
}
