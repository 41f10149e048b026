import * as tf from "@tensorflow/tfjs-core";
import type { SimdBackend } from "../backend.js";
import type { WasmKernels } from "../wasm.js";
import { planBroadcast } from "./broadcast.js";
import { register, requireShape, requireType, sizeOf } from "./kernel.js";
import { castTo } from "./unary.js";

type BinaryName = {
  [K in keyof WasmKernels]: WasmKernels[K] extends WasmKernels["addFloat"] ? K : never;
}[keyof WasmKernels];

/** a and b, broadcast, through one WebAssembly function. */
export function runBinary(
  backend: SimdBackend,
  name: BinaryName,
  a: tf.TensorInfo,
  b: tf.TensorInfo,
  dtype: tf.DataType,
): tf.TensorInfo {
  const plan = planBroadcast(a.shape, b.shape);
  const out = backend.makeOutput(plan.shape, dtype);
  const inBytes = a.dtype === "bool" ? 1 : 4;
  const runBytes = plan.rows * plan.inner * (dtype === "bool" ? 1 : 4);
  let to = backend.address(out);
  for (const [aStart, bStart] of plan.starts) {
    backend.kernels[name](
      backend.address(a) + aStart * inBytes,
      backend.address(b) + bStart * inBytes,
      to,
      plan.rows,
      plan.inner,
      plan.aRow * inBytes,
      plan.bRow * inBytes,
      plan.aStep * inBytes,
      plan.bStep * inBytes,
    );
    to += runBytes;
  }
  return out;
}

function registerArithmetic(kernel: string, float: BinaryName, integer?: BinaryName): void {
  register<tf.BinaryInputs, unknown>(kernel, (inputs, _, backend) => {
    const { a, b } = inputs as { a: tf.TensorInfo; b: tf.TensorInfo };
    for (const operand of [a, b]) requireType(kernel, operand, "float32", ...(integer ? (["int32"] as const) : []));
    requireType(kernel, b, a.dtype);
    return runBinary(backend, a.dtype === "int32" ? integer! : float, a, b, a.dtype);
  });
}

/** Comparisons take booleans too, as integers 0 and 1. */
function registerComparison(kernel: string, float: BinaryName, integer: BinaryName): void {
  register<tf.BinaryInputs, unknown>(kernel, (inputs, _, backend) => {
    const { a, b } = inputs as { a: tf.TensorInfo; b: tf.TensorInfo };
    for (const operand of [a, b]) requireType(kernel, operand, "float32", "int32", "bool");
    requireType(kernel, b, a.dtype);
    if (a.dtype === "float32") return runBinary(backend, float, a, b, "bool");
    const [left, right] = [castTo(backend, a, "int32"), castTo(backend, b, "int32")];
    try {
      return runBinary(backend, integer, left, right, "bool");
    } finally {
      backend.disposeData(left.dataId);
      backend.disposeData(right.dataId);
    }
  });
}

/** Sum of any number of tensors of one shape. */
function addN(inputs: tf.TensorInfo[], _: unknown, backend: SimdBackend): tf.TensorInfo {
  const [first, ...others] = inputs as [tf.TensorInfo, ...tf.TensorInfo[]];
  for (const input of inputs) requireType(tf.AddN, input, "float32");
  const out = backend.makeOutput(first.shape, "float32");
  const size = sizeOf(first);
  const to = backend.address(out);
  backend.kernels.copyStrided(backend.address(first), to, 4, 1, 1, 1, size, 0, 0, 0, 1, 0, 0, 0, 1);
  for (const other of others) {
    backend.kernels.addFloat(to, backend.address(other), to, 1, size, 0, 0, 4, 4);
  }
  return out;
}

/** Elements of t where the condition holds, else of e; all of one shape. */
function select(inputs: tf.SelectInputs, _: unknown, backend: SimdBackend): tf.TensorInfo {
  const { condition, t, e } = inputs as { condition: tf.TensorInfo; t: tf.TensorInfo; e: tf.TensorInfo };
  requireType(tf.Select, condition, "bool");
  requireType(tf.Select, t, "float32", "int32");
  requireType(tf.Select, e, t.dtype);
  for (const operand of [condition, e]) requireShape(tf.Select, "an operand", operand, t.shape);
  const out = backend.makeOutput(t.shape, t.dtype);
  const at = (tensor: tf.TensorInfo) => backend.address(tensor);
  backend.kernels.select(at(condition), at(t), at(e), at(out), sizeOf(out));
  return out;
}

/** Registers the operations on two or more tensors, element by element. */
export function registerBinaryKernels(): void {
  registerArithmetic(tf.Add, "addFloat", "addInteger");
  registerArithmetic(tf.Sub, "subtractFloat", "subtractInteger");
  registerArithmetic(tf.Multiply, "multiplyFloat", "multiplyInteger");
  registerArithmetic(tf.RealDiv, "divideFloat");
  registerArithmetic(tf.Maximum, "maximumFloat", "maximumInteger");
  registerArithmetic(tf.Minimum, "minimumFloat", "minimumInteger");
  registerComparison(tf.Greater, "greaterFloat", "greaterInteger");
  registerComparison(tf.GreaterEqual, "greaterEqualFloat", "greaterEqualInteger");
  registerComparison(tf.Less, "lessFloat", "lessInteger");
  registerComparison(tf.Equal, "equalFloat", "equalInteger");
  register<tf.LogicalAndInputs, unknown>(tf.LogicalAnd, (inputs, _, backend) => {
    const { a, b } = inputs as { a: tf.TensorInfo; b: tf.TensorInfo };
    for (const operand of [a, b]) requireType(tf.LogicalAnd, operand, "bool");
    return runBinary(backend, "logicalAnd", a, b, "bool");
  });
  register(tf.AddN, addN);
  register(tf.Select, select);
}
