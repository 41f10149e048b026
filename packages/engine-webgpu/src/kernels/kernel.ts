/** A compute kernel: its WGSL, and what its bindings 0, 1, … are called, in order. The entry point is `main`. */
export interface Kernel {
  /** For people: in profiles and error messages. */
  readonly name: string;
  readonly code: string;
  readonly bindings: readonly string[];
}

/** A kernel, and the grid of workgroups for one task: [x, y]. */
export interface GridKernel extends Kernel {
  readonly grid: readonly [number, number];
}

/** How a kernel sees a buffer. */
export interface Binding {
  readonly name: string;
  /** `array<vec4f>` and the like. */
  readonly type: string;
  readonly access: "read" | "read_write" | "uniform";
}

/** A kernel out of its bindings and the rest of its WGSL. */
export function kernel(name: string, bindings: readonly Binding[], body: string): Kernel {
  const declarations = bindings.map(({ name: variable, type, access }, at) => {
    const space = access === "uniform" ? "uniform" : `storage, ${access}`;
    return `@group(0) @binding(${at}) var<${space}> ${variable}: ${type};`;
  });
  return { name, code: `${declarations.join("\n")}\n${body}`, bindings: bindings.map((binding) => binding.name) };
}

/** Text for each of 0 … count − 1, in lines. */
export function repeat(count: number, text: (index: number) => string): string {
  return Array.from({ length: count }, (_, index) => text(index)).join("\n");
}

/** The components of a vec4. */
export const COMPONENTS = ["x", "y", "z", "w"] as const;

/** Workgroups in a row of the grid: WebGPU allows 65,535 of them, and more parameters than one row takes. */
const WIDEST = 32_768;

/** A grid of one dimension, folded. */
export interface LineGrid {
  /** [x, y] */
  readonly grid: readonly [number, number];
  /** WGSL: the index of a thread, of its `global_invocation_id` `at`. */
  readonly index: string;
}

/** A grid for `count` threads, `threads` in a workgroup. */
export function lineGrid(count: number, threads: number): LineGrid {
  const workgroups = Math.ceil(count / threads);
  const grid = [Math.min(WIDEST, workgroups), Math.ceil(workgroups / WIDEST)] as const;
  return { grid, index: `at.y * ${WIDEST * threads}u + at.x` };
}
