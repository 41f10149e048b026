import type { Violation } from "./frame-reader.js";

/** Why a peer is refused; `mzsr_refusals_total` counts by it. */
export type RefusalKind = "token" | "expired" | "revoked" | "hello" | "certificate" | "connections" | Violation;

/** A refusal, as it is told to the peer. */
export interface CallRefusal {
  readonly kind: RefusalKind;
  readonly reason: string;
}

/** Told of each peer that is refused. */
export type OnRefusal = (reason: string, peer: string, kind: RefusalKind) => void;
