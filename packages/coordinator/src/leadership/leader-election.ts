/**
 * When a standby may take a run over. No clock is shared: a standby waits the whole lease on its own clock from the
 * moment at which it saw the record's newest revision, which is never before the leader wrote it; and the leader lays
 * its work down before the lease has passed on its own clock since it last began to write. So their terms do not
 * overlap, as long as the two clocks run at nearly the same rate.
 */
import type { LeaderEntry } from "@mzsr/shared";

export type ElectionMove =
  /** Claim the lead, if the record is still as it was read. */
  | { readonly move: "claim"; readonly reason: string }
  | { readonly move: "wait" }
  /** The run is over. */
  | { readonly move: "finished"; readonly reason: string };

export class LeaderElection {
  #seen: { readonly revision: number; readonly sinceMs: number } | undefined;

  /**
   * @param entry the record as it was just read; undefined when there is none
   * @param nowMs when the answer was there, on a clock that nobody sets
   */
  next(entry: LeaderEntry | undefined, nowMs: number): ElectionMove {
    if (entry === undefined) return { move: "claim", reason: "nobody has led it yet" };
    const { record, revision } = entry;
    if (record.state === "finished") return { move: "finished", reason: "it was finished" };
    if (record.state === "released") return { move: "claim", reason: "its leader stepped down" };
    if (this.#seen?.revision !== revision) this.#seen = { revision, sinceMs: nowMs };
    const silentMs = nowMs - this.#seen.sinceMs;
    if (silentMs < record.leaseMs) return { move: "wait" };
    return { move: "claim", reason: `its leader has been silent for ${(silentMs / 1000).toFixed(1)} s` };
  }
}
