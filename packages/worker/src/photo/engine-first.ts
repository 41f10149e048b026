import {
  type AdaptationPair,
  type Architecture,
  type Enlarger,
  InputError,
  type Learner,
  type Network,
  type NetworkComputer,
  type Size,
  type Trainer,
} from "@mzsr/mzsr";

/** One computer, and another for what the first refuses before it begins. */
export class EngineFirst implements NetworkComputer {
  readonly #engine: NetworkComputer;
  readonly #instead: (refused: InputError) => Promise<NetworkComputer>;

  /** @param instead starts the other; its error is the user's */
  constructor(engine: NetworkComputer, instead: (refused: InputError) => Promise<NetworkComputer>) {
    this.#engine = engine;
    this.#instead = instead;
  }

  learner(architecture: Architecture, pairs: readonly AdaptationPair[]): Promise<Learner> {
    return this.#first((computer) => computer.learner(architecture, pairs));
  }

  trainer(architecture: Architecture, pairs: readonly AdaptationPair[]): Promise<Trainer> {
    return this.#first((computer) => computer.trainer(architecture, pairs));
  }

  enlarger(network: Network, result: Size, tileSide: number): Promise<Enlarger> {
    return this.#first((computer) => computer.enlarger(network, result, tileSide));
  }

  async #first<T>(start: (computer: NetworkComputer) => Promise<T>): Promise<T> {
    try {
      return await start(this.#engine);
    } catch (thrown) {
      if (!(thrown instanceof InputError)) throw thrown;
      return start(await this.#instead(thrown));
    }
  }
}
