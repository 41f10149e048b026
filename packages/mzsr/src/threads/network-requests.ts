/** What a thread that computes with a network is asked, and what it answers. Plain data throughout. */
import type { AdaptationPair } from "../adaptation/adaptation-pairs.js";
import type { TileSource } from "../enlargement/tiles.js";
import type { Architecture } from "../model/layout.js";

export type NetworkRequest =
  /** Pairs for the requests that follow, and the weight of each in the loss. */
  | {
      readonly kind: "pairs";
      readonly architecture: Architecture;
      readonly pairs: AdaptationPair[];
      readonly part: number;
    }
  | { readonly kind: "gradients"; readonly parameters: Float32Array }
  | { readonly kind: "losses"; readonly parameters: Float32Array }
  /** The network for the tiles that follow; pairs are let go. */
  | { readonly kind: "network"; readonly architecture: Architecture; readonly parameters: Float32Array }
  | { readonly kind: "tile"; readonly source: TileSource };

/** Of one pair: its loss, and the gradient of that times the pair's weight, in layout order. */
export interface PairGradient {
  readonly loss: number;
  readonly gradient: Float32Array;
}

export interface NetworkAnswers {
  readonly pairs: undefined;
  readonly gradients: readonly PairGradient[];
  readonly losses: readonly number[];
  readonly network: undefined;
  /** The part that is written. */
  readonly tile: Float32Array;
}

export type AnswerTo<R extends NetworkRequest> = NetworkAnswers[R["kind"]];
