import {
  type Enlarger,
  InputError,
  type Network,
  RunError,
  type Size,
  type Tile,
  type TileSource,
  tileInput,
  writtenPart,
} from "@mzsr/mzsr";
import type { EngineDevice } from "../device/device.js";
import type { EngineOptions } from "../engine.js";
import { ForwardEngine } from "./forward-engine.js";
import { tilesOf } from "./tiles.js";

/** Tiles on their way: one is computed while the next is interpolated and uploaded. */
const IN_FLIGHT = 2;

/** Smaller tiles would be margin for the most part. */
const SMALLEST_TILE = 64;

/** Applies a network to tiles of one size. */
export class GpuEnlarger implements Enlarger {
  readonly elsewhere = true;
  readonly rows: readonly (readonly Tile[])[];
  readonly #engine: ForwardEngine;
  readonly #parameters: Float32Array;
  readonly #waiting: (() => void)[] = [];
  #free = IN_FLIGHT;
  #disposed = false;

  private constructor(engine: ForwardEngine, parameters: Float32Array, rows: readonly (readonly Tile[])[]) {
    this.#engine = engine;
    this.#parameters = parameters;
    this.rows = rows;
  }

  /**
   * The tiles are as large as the memory allows, at most `tileSide`.
   *
   * @throws InputError when it does not do for the smallest; RunError when the device fails
   */
  static async create(
    device: EngineDevice,
    { architecture, parameters }: Network,
    result: Size,
    tileSide: number,
    options: Pick<EngineOptions, "memoryBytes">,
  ): Promise<GpuEnlarger> {
    for (let largest = tileSide; ; largest = Math.floor(largest / 2)) {
      const { side, rows } = tilesOf(result, largest, architecture.depth);
      try {
        const engine = await ForwardEngine.create(device, { architecture, ...side }, options);
        return new GpuEnlarger(engine, parameters, rows);
      } catch (thrown) {
        if (!(thrown instanceof InputError) || largest < 2 * SMALLEST_TILE) throw thrown;
      }
    }
  }

  async tile(source: () => TileSource): Promise<Float32Array> {
    while (this.#free === 0 && !this.#disposed) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    if (this.#disposed) throw new RunError("the enlargement has ended");
    this.#free--;
    try {
      const made = source();
      const input = tileInput(made);
      const data = await this.#engine.apply(this.#parameters, input.data);
      return writtenPart({ ...input, data }, made.tile).data;
    } finally {
      this.#free++;
      this.#waiting.shift()?.();
      if (this.#disposed) this.#destroy();
    }
  }

  dispose(): void {
    this.#disposed = true;
    for (const wake of this.#waiting.splice(0)) wake();
    this.#destroy();
  }

  /** Not before the tiles on their way are there: what is asked of buffers that are gone would count as the device's failure. */
  #destroy(): void {
    if (this.#free === IN_FLIGHT) this.#engine.destroy();
  }
}
