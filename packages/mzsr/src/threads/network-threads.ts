/** The side that asks: shares pairs and tiles out over threads. */
import * as tf from "@tensorflow/tfjs-core";
import type { AdaptationPair } from "../adaptation/adaptation-pairs.js";
import { addedTo, BackendComputer, type Descending, descended, meanOf } from "../computing/backend-computer.js";
import type {
  Descent,
  Enlarger,
  Learner,
  Network,
  NetworkComputer,
  Rates,
  Trainer,
} from "../computing/network-computer.js";
import { type Tile, type TileSource, tileRows } from "../enlargement/tiles.js";
import type { Size } from "../imaging/resize.js";
import type { Architecture } from "../model/layout.js";
import { uploadWeights } from "../model/network.js";
import type { AnswerTo, NetworkRequest, PairGradient } from "./network-requests.js";

/** Sends a request to a thread with a `NetworkThread`. @throws what went wrong there */
export type AskThread = <R extends NetworkRequest>(request: R) => Promise<AnswerTo<R>>;

/**
 * Every pair and every tile is computed by one thread, and what is summed is summed by the caller, in the pairs' order, on its own
 * backend: results do not depend on the number of threads, to the bit on backends that compute alike.
 */
export class NetworkThreads implements NetworkComputer {
  readonly #threads: readonly AskThread[];
  readonly #idle: AskThread[];
  readonly #waiting: ((thread: AskThread) => void)[] = [];

  constructor(threads: readonly AskThread[]) {
    this.#threads = threads;
    this.#idle = [...threads];
  }

  async learner(architecture: Architecture, pairs: readonly AdaptationPair[]): Promise<Learner> {
    // One pair is one thread's, and the caller's is one.
    if (pairs.length === 1) return new BackendComputer().learner(architecture, pairs);
    await this.learnFrom(architecture, pairs);
    return new ThreadsLearner(architecture, this, pairs.length);
  }

  /** Minibatches come one after the other: the caller's thread is enough. */
  trainer(architecture: Architecture, pairs: readonly AdaptationPair[]): Promise<Trainer> {
    return new BackendComputer().trainer(architecture, pairs);
  }

  async enlarger({ architecture, parameters }: Network, result: Size, tileSide: number): Promise<Enlarger> {
    await this.useNetwork(architecture, parameters);
    return new ThreadsEnlarger(this, tileRows(result, tileSide, architecture.depth));
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

/** Gradients come from the threads; the steps are made here, as `BackendComputer` makes them. */
class ThreadsLearner implements Learner {
  readonly #architecture: Architecture;
  readonly #threads: NetworkThreads;
  readonly #pairs: number;

  constructor(architecture: Architecture, threads: NetworkThreads, pairs: number) {
    this.#architecture = architecture;
    this.#threads = threads;
    this.#pairs = pairs;
  }

  async descend(parameters: Float32Array, rates: Rates): Promise<Descent> {
    const gradients = await this.#threads.gradients(parameters);
    return descended(() => {
      const weights = uploadWeights(this.#architecture, parameters);
      let descent: Descending | undefined;
      for (const { loss, gradient } of gradients) {
        const uploaded = { loss: tf.scalar(loss), gradient: uploadWeights(this.#architecture, gradient) };
        descent = addedTo(descent, weights, uploaded, 1 / this.#pairs, rates);
      }
      return descent!;
    });
  }

  async loss(parameters: Float32Array): Promise<number> {
    return meanOf(await this.#threads.losses(parameters));
  }

  dispose(): void {}
}

class ThreadsEnlarger implements Enlarger {
  readonly elsewhere = true;
  readonly rows: readonly (readonly Tile[])[];
  readonly #threads: NetworkThreads;

  constructor(threads: NetworkThreads, rows: readonly (readonly Tile[])[]) {
    this.#threads = threads;
    this.rows = rows;
  }

  tile(source: () => TileSource): Promise<Float32Array> {
    return this.#threads.tile(source);
  }

  dispose(): void {}
}

/** The first of each, then the second of each, … */
function inTurn<T>(shares: readonly (readonly T[])[]): T[] {
  const longest = Math.max(...shares.map(({ length }) => length));
  return Array.from({ length: longest }, (_, i) => shares.flatMap((share) => share.slice(i, i + 1))).flat();
}
