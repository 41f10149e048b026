/** The side that asks: shares pairs and tiles out over threads. */
import type { AdaptationPair } from "../adaptation/adaptation-pairs.js";
import type { TileSource } from "../enlargement/tiles.js";
import type { Architecture } from "../model/layout.js";
import type { AnswerTo, NetworkRequest, PairGradient } from "./network-requests.js";

/** Sends a request to a thread with a `NetworkThread`. @throws what went wrong there */
export type AskThread = <R extends NetworkRequest>(request: R) => Promise<AnswerTo<R>>;

/**
 * Every pair and every tile is computed by one thread, and what is summed is summed by the caller, in the pairs' order: results
 * do not depend on the number of threads.
 */
export class NetworkThreads {
  readonly #threads: readonly AskThread[];
  readonly #idle: AskThread[];
  readonly #waiting: ((thread: AskThread) => void)[] = [];

  constructor(threads: readonly AskThread[]) {
    this.#threads = threads;
    this.#idle = [...threads];
  }

  /** The pairs for the calls that follow; pair i is the thread's i mod n. */
  async learnFrom(architecture: Architecture, pairs: readonly AdaptationPair[]): Promise<void> {
    const part = 1 / pairs.length;
    await this.#askAll((thread, n) => {
      const own = pairs.filter((_, i) => i % this.#threads.length === n);
      return thread({ kind: "pairs", architecture, pairs: own, part });
    });
  }

  /** Of each pair, in their order. */
  async gradients(parameters: Float32Array): Promise<PairGradient[]> {
    return inTurn(await this.#askAll((thread) => thread({ kind: "gradients", parameters })));
  }

  /** L1 of each pair, in their order. */
  async losses(parameters: Float32Array): Promise<number[]> {
    return inTurn(await this.#askAll((thread) => thread({ kind: "losses", parameters })));
  }

  /** The network for the tiles that follow. */
  async useNetwork(architecture: Architecture, parameters: Float32Array): Promise<void> {
    await this.#askAll((thread) => thread({ kind: "network", architecture, parameters }));
  }

  /** By the first thread that has nothing to do. @param source is made when one is there */
  async tile(source: () => TileSource): Promise<Float32Array> {
    const thread = await this.#nextIdle();
    try {
      return await thread({ kind: "tile", source: source() });
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#idle.push(thread);
      else next(thread);
    }
  }

  #nextIdle(): Promise<AskThread> {
    const thread = this.#idle.pop();
    return thread === undefined ? new Promise((resolve) => this.#waiting.push(resolve)) : Promise.resolve(thread);
  }

  #askAll<T>(ask: (thread: AskThread, n: number) => Promise<T>): Promise<T[]> {
    return Promise.all(this.#threads.map(ask));
  }
}

/** The first of each, then the second of each, … */
function inTurn<T>(shares: readonly (readonly T[])[]): T[] {
  const longest = Math.max(...shares.map(({ length }) => length));
  return Array.from({ length: longest }, (_, i) => shares.flatMap((share) => share.slice(i, i + 1))).flat();
}
