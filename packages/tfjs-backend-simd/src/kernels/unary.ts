import * as tf from "@tensorflow/tfjs-core";
import type { SimdBackend } from "../backend.js";
import type { WasmKernels } from "../wasm.js";
import { register, requireType, sizeOf } from "./kernel.js";

type UnaryName = {
  [K in keyof WasmKernels]: WasmKernels[K] extends WasmKernels["negate"] ? K : never;
}[keyof WasmKernels];

type Conversion = "booleanToFloat" | "booleanToInteger" | "floatToBoolean" | "floatToInteger" | "integerToBoolean";

const CONVERSIONS: Readonly<Record<string, Conversion | "integerToFloat">> = {
  "bool→float32": "booleanToFloat",
  "bool→int32": "booleanToInteger",
  "float32→bool": "floatToBoolean",
  "float32→int32": "floatToInteger",
  "int32→bool": "integerToBoolean",
  "int32→float32": "integerToFloat",
};

/** The tensor with elements of another type; the same data where the type is the same. */
export function castTo(backend: SimdBackend, x: tf.TensorInfo, dtype: tf.DataType): tf.TensorInfo {
  if (x.dtype === dtype) return backend.alias(x, x.shape);
  const conversion = CONVERSIONS[`${x.dtype}→${dtype}`];
  if (conversion === undefined) {
    throw new Error(`simd backend: Cast from ${x.dtype} to ${dtype} is not supported`);
  }
  const out = backend.makeOutput(x.shape, dtype);
  backend.kernels[conversion](backend.address(x), backend.address(out), sizeOf(x));
  return out;
}

function registerUnary<Attributes>(
  kernel: string,
  run: (kernels: WasmKernels, x: number, out: number, count: number, attributes: Attributes) => void,
): void {
  register<tf.UnaryInputs, Attributes>(kernel, ({ x }, attributes, backend) => {
    requireType(kernel, x!, "float32");
    const out = backend.makeOutput(x!.shape, "float32");
    run(backend.kernels, backend.address(x!), backend.address(out), sizeOf(x!), attributes);
    return out;
  });
}

/** Registers the operations on one tensor, element by element, and those that change only its type or shape. */
export function registerUnaryKernels(): void {
  const simple: [string, UnaryName][] = [
    [tf.Neg, "negate"],
    [tf.Abs, "absolute"],
    [tf.Sign, "sign"],
    [tf.Square, "square"],
    [tf.Sqrt, "squareRoot"],
    [tf.Exp, "exponential"],
    [tf.Log, "logarithm"],
    [tf.Relu, "relu"],
  ];
  for (const [kernel, name] of simple) {
    registerUnary(kernel, (kernels, x, out, count) => kernels[name](x, out, count));
  }
  registerUnary<tf.StepAttrs>(tf.Step, (kernels, x, out, count, { alpha }) => kernels.step(x, out, count, alpha));
  registerUnary<tf.ClipByValueAttrs>(tf.ClipByValue, (kernels, x, out, count, { clipValueMin, clipValueMax }) =>
    kernels.clip(x, out, count, clipValueMin, clipValueMax),
  );
  register<tf.IdentityInputs, unknown>(tf.Identity, ({ x }, _, backend) => backend.alias(x!, x!.shape));
  register<tf.CastInputs, tf.CastAttrs>(tf.Cast, ({ x }, { dtype }, backend) => castTo(backend, x!, dtype));
  register<tf.ReshapeInputs, tf.ReshapeAttrs>(tf.Reshape, ({ x }, { shape }, backend) =>
    backend.alias(x!, tf.util.inferFromImplicitShape(shape, sizeOf(x!))),
  );
}
