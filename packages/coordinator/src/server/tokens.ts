/** Which tokens let a call in: the cluster's secret, and join tokens that were made from it for this run. */

import { isSameSecret } from "@mzsr/shared";
import { readJoinToken } from "./join-token.js";
import type { CallRefusal } from "./refusal.js";

export interface TokenRules {
  /** The cluster's secret; without one everybody may enter. */
  readonly secret: string | undefined;
  readonly run: string;
  /** Ids of join tokens that are good no more. */
  readonly revoked?: () => ReadonlySet<string>;
  /** Seconds since 1970. */
  readonly now?: () => number;
}

export class Tokens {
  readonly #rules: TokenRules;

  constructor(rules: TokenRules) {
    this.#rules = rules;
  }

  /**
   * Why a call that shows this token (empty: none) is refused.
   * @param joins whether it opens a session. A token that has expired since opens none, but images that a session needs still
   *   come: they are asked for by hashes that only workers of the run were told
   */
  refusal(token: string, joins = true): CallRefusal | undefined {
    const { secret, run, now = () => Date.now() / 1000 } = this.#rules;
    if (secret === undefined || isSameSecret(token, secret)) return undefined;
    const claim = readJoinToken(secret, token);
    if (claim === undefined) {
      const shown = token === "" ? "no token is shown" : "the token is not this cluster's";
      return { kind: "token", reason: `${shown}; give the worker the coordinator's, or a join token of it` };
    }
    const named = `the join token ${claim.id}`;
    if (claim.run !== run)
      return { kind: "token", reason: `${named} is for the run ${JSON.stringify(claim.run)}, this is ${run}` };
    if (this.#isRevoked(claim.id)) return { kind: "revoked", reason: `${named} has been revoked` };
    if (!joins || now() < claim.expires) return undefined;
    return { kind: "expired", reason: `${named} expired at ${new Date(claim.expires * 1000).toISOString()}` };
  }

  #isRevoked(id: string): boolean {
    return this.#rules.revoked?.().has(id) === true;
  }
}
