import { type PatchShape, pixelsOf, taskStride } from "../plan/shapes.js";
import { sumOverThreads } from "./conv.js";
import { type Kernel, kernel, lineGrid } from "./kernel.js";

const THREADS = 64;

/** Uploaded pairs of patches, three floats a pixel, to one vec4 a pixel. Bindings: rawX, rawY, x, y. */
export function unpackKernel(shape: PatchShape): Kernel & { readonly grid: readonly [number, number] } {
  const pixels = pixelsOf(shape);
  const { grid, index } = lineGrid(pixels, THREADS);
  const raw = (name: string) => ({ name, type: "array<f32>", access: "read" as const });
  const image = (name: string) => ({ name, type: "array<vec4f>", access: "read_write" as const });
  const made = kernel(
    "unpack",
    [raw("rawX"), raw("rawY"), image("x"), image("y")],
    `
@compute @workgroup_size(${THREADS})
fn main(@builtin(global_invocation_id) at: vec3u) {
  let p = ${index};
  if (p >= ${pixels}u) { return; }
  let start = 3u * (at.z * ${pixels}u + p);
  let to = at.z * ${taskStride(shape, 1)}u + p;
  x[to] = vec4f(rawX[start], rawX[start + 1u], rawX[start + 2u], 0);
  y[to] = vec4f(rawY[start], rawY[start + 1u], rawY[start + 2u], 0);
}
`,
  );
  return { ...made, grid };
}

/**
 * A task's loss out of its workgroups' partial sums, one workgroup a task: output[z] = Σ partials / values.
 * Bindings: partials, output.
 */
export function lossKernel(options: { count: number; stride: number; values: number }): Kernel {
  const { count, stride, values } = options;
  return kernel(
    "loss",
    [
      { name: "partials", type: "array<f32>", access: "read" },
      { name: "output", type: "array<f32>", access: "read_write" },
    ],
    `
var<workgroup> sums: array<f32, ${THREADS}>;
@compute @workgroup_size(${THREADS})
fn main(@builtin(workgroup_id) at: vec3u, @builtin(local_invocation_index) thread: u32) {
  var sum = 0.0;
  for (var i = thread; i < ${count}u; i += ${THREADS}u) { sum += partials[at.z * ${stride}u + i]; }
${sumOverThreads("sum", "sums", THREADS)}
  if (thread == 0u) { output[at.z] = sums[0] / ${values}.0; }
}
`,
  );
}
