/**
 * How images, activations and parameters lie in the GPU's buffers. Channels come in groups of four (one vec4 of
 * float32), padded with zeros; what belongs to one task starts at a multiple of 256 bytes, so that any run of tasks can
 * be bound by an offset.
 */
import { InputError } from "@mzsr/mzsr";

/** Floats in a group of channels. */
export const GROUP = 4;

/** WebGPU lets bindings start at multiples of 256 bytes: 64 floats, 16 groups. */
export const ALIGNED_FLOATS = 64;
const ALIGNED_GROUPS = ALIGNED_FLOATS / GROUP;

export const FLOAT_BYTES = 4;
export const GROUP_BYTES = GROUP * FLOAT_BYTES;

/** The patches of one set of a task. */
export interface PatchShape {
  readonly patches: number;
  /** Pixels. */
  readonly height: number;
  readonly width: number;
}

/** Groups that hold so many channels. */
export function groupsOf(channels: number): number {
  return Math.ceil(channels / GROUP);
}

/** Pixels of all patches of a set. */
export function pixelsOf({ patches, height, width }: PatchShape): number {
  return patches * height * width;
}

/** Groups from one task's activations (of `groups` groups a pixel) to the next task's. */
export function taskStride(shape: PatchShape, groups: number): number {
  return roundUp(pixelsOf(shape) * groups, ALIGNED_GROUPS);
}

export function roundUp(value: number, multiple: number): number {
  return Math.ceil(value / multiple) * multiple;
}

/** @throws InputError unless all are whole and at least 1 */
export function requireCounts(counts: Readonly<Record<string, number>>): void {
  for (const [name, value] of Object.entries(counts)) {
    if (!Number.isInteger(value) || value < 1) {
      throw new InputError(`${name} is ${value}`, { expected: "a whole number from 1" });
    }
  }
}
