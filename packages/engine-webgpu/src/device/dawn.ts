/// <reference types="@webgpu/types" preserve="true" />
import { createRequire } from "node:module";
import { InputError, messageOf, RunError } from "@mzsr/mzsr";

/** The part of the `webgpu` package (Dawn for Node) that is used here. */
export interface Dawn {
  create(options: string[]): GPU;
  readonly globals: object;
}

const HELD = Symbol.for("mzsr.engine-webgpu.held");

/**
 * Loads Dawn, which looks for nothing yet.
 *
 * @throws InputError when the package is not installed; RunError when it does not load
 */
export async function loadDawn(): Promise<Dawn> {
  // Its name is a variable, so that the compiler does not look for an optional package.
  const name = "webgpu";
  try {
    createRequire(import.meta.url).resolve(name);
  } catch {
    throw new InputError("the package webgpu is not installed", { expected: "npm install webgpu" });
  }
  try {
    return (await import(name)) as Dawn;
  } catch (thrown) {
    throw new RunError(`the package webgpu does not load: ${messageOf(thrown).split("\n", 1)[0]}`, { cause: thrown });
  }
}

/**
 * Starts Dawn. What `create` returns must outlive every device made from it (its collection crashes the process), so
 * it is held by Dawn's own module for good.
 */
export function startDawn(dawn: Dawn, options: readonly string[]): GPU {
  const gpu = dawn.create([...options]);
  const { globals } = dawn as { globals: { [HELD]?: Set<GPU> } };
  globals[HELD] ??= new Set();
  globals[HELD].add(gpu);
  return gpu;
}

/** The bits of `GPUBufferUsage`, which is a global only in browsers. */
export const BufferUsage = {
  MAP_READ: 0x1,
  COPY_SRC: 0x4,
  COPY_DST: 0x8,
  UNIFORM: 0x40,
  STORAGE: 0x80,
  QUERY_RESOLVE: 0x200,
} as const;

/** `GPUMapMode.READ` */
export const MAP_MODE_READ = 1;
