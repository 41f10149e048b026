import type { Configuration } from "@mzsr/shared";

/** Where one patch lies. */
export interface PatchPosition {
  readonly image: number;
  readonly y: number;
  readonly x: number;
}

/** All drawable patches of a data set for one patch size, as one list; a few bytes each. */
export class PatchPositions {
  /** Index of each image's first patch in the list, and at the end the list's length. */
  readonly #starts: number[] = [0];
  readonly #corners: Uint32Array[] = [];

  /** Appends the next image's patches. */
  add(corners: readonly { readonly y: number; readonly x: number }[]): void {
    const packed = new Uint32Array(2 * corners.length);
    corners.forEach(({ y, x }, i) => {
      packed[2 * i] = y;
      packed[2 * i + 1] = x;
    });
    this.#corners.push(packed);
    this.#starts.push(this.count + corners.length);
  }

  get count(): number {
    return this.#starts.at(-1)!;
  }

  /** @throws RangeError outside 0 … count − 1 */
  at(index: number): PatchPosition {
    if (!(index >= 0 && index < this.count)) throw new RangeError(`no patch ${index} among ${this.count}`);
    const image = this.#imageOf(index);
    const corner = 2 * (index - this.#starts[image]!);
    const corners = this.#corners[image]!;
    return { image, y: corners[corner]!, x: corners[corner + 1]! };
  }

  /** The last image that starts at or before `index`, by halving. Images without patches start where the next does. */
  #imageOf(index: number): number {
    let low = 0;
    let high = this.#corners.length;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (this.#starts[middle]! <= index) low = middle;
      else high = middle;
    }
    return low;
  }
}

/** The sets that patches are drawn for; each has its size, so each has its grid. */
export const PATCH_SETS = ["pretraining", "support", "query"] as const;
export type PatchSet = (typeof PATCH_SETS)[number];

/** Sides of the HR squares that each set's patches come from, in pixels. */
export function patchSides({ pretraining, metaTraining, degradation }: SidesConfiguration): Record<PatchSet, number> {
  const { patchSize, supportFrom } = metaTraining;
  const { scale, scales = [scale] } = degradation;
  return {
    pretraining: pretraining.patchSize,
    support: supportFrom === "low" ? patchSize * Math.max(...scales) : patchSize,
    query: patchSize,
  };
}

type SidesConfiguration = Pick<Configuration, "pretraining" | "metaTraining" | "degradation">;

/** What drawing tasks needs to know of a data set. */
export type PatchIndex = Readonly<Record<PatchSet, PatchPositions>>;
