/**
 * Kernels over parameters: what the partial sums of gradients and of Hessian-vector products become. A thread computes
 * four neighbouring floats of one task; the grid is [x, 1] for one task.
 */
import { GROUP } from "../plan/shapes.js";
import { sumOverThreads } from "./conv.js";
import { type Binding, type Kernel, kernel, lineGrid } from "./kernel.js";

export interface ParameterShape {
  /** Floats from one task's parameters to the next's. */
  readonly stride: number;
  /** Floats in a row of settings: α for each tensor, then the scales of the losses' gradients. */
  readonly rowFloats: number;
}

export interface ParameterKernel extends Kernel {
  readonly grid: readonly [number, number];
}

const THREADS = 64;

const vectors = (name: string, access: Binding["access"] = "read"): Binding => ({
  name,
  type: "array<vec4f>",
  access,
});
const numbers = (name: string, access: Binding["access"] = "read"): Binding => ({ name, type: "array<f32>", access });
const indices = (name: string): Binding => ({ name, type: "array<u32>", access: "read" });

/** Σ over a task's partial sums, in their order, as `sum`. */
function sumOfPartials(splits: number): string {
  return `
  var sum = vec4f();
  for (var split = 0u; split < ${splits}u; split++) { sum += partials[(task * ${splits}u + split) * STRIDE + i]; }`;
}

function overParameters(name: string, { stride }: ParameterShape, bindings: readonly Binding[], text: string) {
  const groups = stride / GROUP;
  const { grid, index } = lineGrid(groups, THREADS);
  const made = kernel(
    name,
    bindings,
    `
const STRIDE = ${groups}u;
@compute @workgroup_size(${THREADS})
fn main(@builtin(global_invocation_id) at: vec3u) {
  let i = ${index};
  let task = at.z;
  if (i >= STRIDE) { return; }
  let o = task * STRIDE + i;
${text}
}
`,
  );
  return { ...made, grid };
}

/** The gradient: output = Σ partials. Bindings: partials, output. */
export function sumKernel(shape: ParameterShape, splits: number): ParameterKernel {
  const bindings = [vectors("partials"), vectors("output", "read_write")];
  return overParameters("sum", shape, bindings, `${sumOfPartials(splits)}\n  output[o] = sum;`);
}

/**
 * One inner step: next = θ − α ∘ Σ partials. `theta` and `next` are parts of one buffer, so both are writable to
 * WebGPU. Bindings: partials, theta, rows, tensorOf, next, [gradient].
 */
export function descendKernel(shape: ParameterShape, splits: number, keepsGradient: boolean): ParameterKernel {
  const bindings = [vectors("partials"), vectors("theta", "read_write"), numbers("rows"), indices("tensorOf")];
  bindings.push(vectors("next", "read_write"));
  if (keepsGradient) bindings.push(vectors("gradient", "read_write"));
  const text = `${sumOfPartials(splits)}
  next[o] = theta[o] - rows[task * ${shape.rowFloats}u + tensorOf[i]] * sum;
${keepsGradient ? "  gradient[o] = sum;" : ""}`;
  return overParameters("descend", shape, bindings, text);
}

export interface AdjointOptions {
  /** Splits of the Hessian-vector product that is taken off, if there is one. */
  readonly productSplits?: number;
  /** Adds a query gradient. */
  readonly addsQuery: boolean;
  /** Also writes α ∘ v with the rates of `rows`, the direction of the next product. */
  readonly givesDirection: boolean;
}

/** One step back: v' = v − Σ partials + q. Bindings: v, [partials], [query], next, [rows, tensorOf, direction]. */
export function adjointKernel(shape: ParameterShape, options: AdjointOptions): ParameterKernel {
  const { productSplits, addsQuery, givesDirection } = options;
  const bindings = [vectors("v")];
  if (productSplits !== undefined) bindings.push(vectors("partials"));
  if (addsQuery) bindings.push(vectors("query"));
  bindings.push(vectors("next", "read_write"));
  if (givesDirection) bindings.push(numbers("rows"), indices("tensorOf"), vectors("direction", "read_write"));
  const text = `  var value = v[o];
${productSplits === undefined ? "" : `${sumOfPartials(productSplits)}\n  value -= sum;`}
${addsQuery ? "  value += query[o];" : ""}
  next[o] = value;
${givesDirection ? `  direction[o] = rows[task * ${shape.rowFloats}u + tensorOf[i]] * value;` : ""}`;
  return overParameters("adjoint", shape, bindings, text);
}

/**
 * Spreads uploaded parameters (float i of task z at z · batch.y + i) to the padded layout.
 * Bindings: uploaded, flatOf, batch, output.
 */
export function spreadKernel({ stride }: ParameterShape): ParameterKernel {
  const uniform: Binding = { name: "batch", type: "vec4u", access: "uniform" };
  const { grid, index } = lineGrid(stride, THREADS);
  const bindings = [numbers("uploaded"), indices("flatOf"), uniform, numbers("output", "read_write")];
  const made = kernel(
    "spread",
    bindings,
    `
@compute @workgroup_size(${THREADS})
fn main(@builtin(global_invocation_id) at: vec3u) {
  let i = ${index};
  if (i >= ${stride}u) { return; }
  let start = flatOf[i];
  var value = 0.0;
  if (start != 0xffffffffu) { value = uploaded[at.z * batch.y + start]; }
  output[at.z * ${stride}u + i] = value;
}
`,
  );
  return { ...made, grid };
}

/** Gathers padded parameters into the flat layout of `size` floats a task. Bindings: padded, paddedOf, output. */
export function packKernel({ stride }: ParameterShape, size: number): ParameterKernel {
  const { grid, index } = lineGrid(size, THREADS);
  const bindings = [numbers("padded"), indices("paddedOf"), numbers("output", "read_write")];
  const made = kernel(
    "pack",
    bindings,
    `
@compute @workgroup_size(${THREADS})
fn main(@builtin(global_invocation_id) at: vec3u) {
  let i = ${index};
  if (i >= ${size}u) { return; }
  output[at.z * ${size}u + i] = padded[at.z * ${stride}u + paddedOf[i]];
}
`,
  );
  return { ...made, grid };
}

/**
 * ⟨a_p, b_p⟩ for each tensor p, one workgroup each, into rows of `outputStride` floats a task.
 * Bindings: a, b, tensorGroups, output.
 */
export function innerProductsKernel(
  { stride }: ParameterShape,
  tensors: number,
  outputStride: number,
): ParameterKernel {
  const threads = 128;
  const bindings = [vectors("a"), vectors("b"), indices("tensorGroups"), numbers("output", "read_write")];
  const made = kernel(
    "inner products",
    bindings,
    `
var<workgroup> sums: array<f32, ${threads}>;
@compute @workgroup_size(${threads})
fn main(@builtin(workgroup_id) at: vec3u, @builtin(local_invocation_index) thread: u32) {
  let start = at.z * ${stride / GROUP}u + tensorGroups[2u * at.x];
  let count = tensorGroups[2u * at.x + 1u];
  var sum = 0.0;
  for (var i = thread; i < count; i += ${threads}u) { sum += dot(a[start + i], b[start + i]); }
${sumOverThreads("sum", "sums", threads)}
  if (thread == 0u) { output[at.z * ${outputStride}u + at.x] = sums[0]; }
}
`,
  );
  return { ...made, grid: [tensors, 1] };
}
