import type { PatchShape } from "../plan/shapes.js";

/** How a convolution is cut into workgroups and threads. */
export interface ConvTile {
  /** Pixels of a row that a thread computes, for one group of output channels. */
  readonly run: number;
  /** Runs of a row in a tile. */
  readonly columns: number;
  /** Rows of a tile. */
  readonly rows: number;
  /** Groups of output channels in a workgroup. */
  readonly groups: number;
  /** Workgroups that share the output channels of a pixel. */
  readonly blocks: number;
  /** columns · rows · groups, at most 256. */
  readonly threads: number;
  readonly tilesAcross: number;
  /** Tiles of a patch. */
  readonly tiles: number;
}

/** More would need more workgroup memory than the 16 KiB that every adapter has. */
const LARGEST_GROUPS = 16;

/**
 * Tiles by rule from the shape alone: 8 rows × 16 pixels where there are many channels; where there are few, threads
 * are given to more rows and shorter runs, so that a workgroup is not nearly empty.
 */
export function convTile(outputGroups: number, { height, width }: PatchShape): ConvTile {
  const blocks = Math.ceil(outputGroups / LARGEST_GROUPS);
  const groups = Math.ceil(outputGroups / blocks);
  const few = groups <= 4;
  const run = few ? 4 : 8;
  const columns = few ? 4 : 2;
  const rows = few ? 16 : 8;
  const tilesAcross = Math.ceil(width / (columns * run));
  const tiles = tilesAcross * Math.ceil(height / rows);
  return { run, columns, rows, groups, blocks, threads: columns * rows * groups, tilesAcross, tiles };
}
