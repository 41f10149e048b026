/** A leader's term: its record is written again and again; when that fails for too long, the term is over. */

import { messageOf } from "@mzsr/mzsr";
import type { LeaderRecord } from "@mzsr/shared";
import { type LeaderStore, OvertakenError } from "./leader-store.js";

/** A leader that has not written its record for so long may be replaced. */
export const LEASE_MS = 2_500;
const RENEW_MS = 500;
/** Share of the lease after which a leader that could not renew it steps down. */
const SAFE_SHARE = 0.8;

export interface LeaderTerm {
  readonly record: LeaderRecord;
  readonly revision: number;
  /** When the write that began the term was sent. */
  readonly sentMs: number;
}

export class LeaderLease {
  readonly #store: Pick<LeaderStore, "read" | "write">;
  readonly #nowMs: () => number;
  readonly #onLost: (reason: string) => void;
  readonly #life: Promise<void>;
  #record: LeaderRecord;
  #revision: number;
  #validUntilMs: number;
  #fence: NodeJS.Timeout | undefined;
  #wake: () => void = () => undefined;
  #unwritten: ((written: boolean) => void)[] = [];
  #trouble = "";
  #over = false;

  /**
   * Keeps a term that has just begun.
   * @param nowMs a clock that goes on while the process is paused, and that nobody sets
   * @param onLost told once when the term ends without being released: stop everything
   */
  constructor(
    store: Pick<LeaderStore, "read" | "write">,
    { record, revision, sentMs }: LeaderTerm,
    nowMs: () => number,
    onLost: (reason: string) => void,
  ) {
    this.#store = store;
    this.#record = record;
    this.#revision = revision;
    this.#nowMs = nowMs;
    this.#onLost = onLost;
    this.#validUntilMs = sentMs + SAFE_SHARE * record.leaseMs;
    this.#armFence();
    this.#life = this.#renewForEver();
  }

  /** Whether this coordinator may still act as the leader. False after a pause that was too long, before any timer. */
  get valid(): boolean {
    return !this.#over && this.#nowMs() < this.#validUntilMs;
  }

  get record(): LeaderRecord {
    return this.#record;
  }

  /** Changes the record. Resolves with true when that is written, with false when the term ended first. */
  set(changes: Partial<Pick<LeaderRecord, "grpcAddress" | "httpAddress" | "checkpoint">>): Promise<boolean> {
    if (this.#over) return Promise.resolve(false);
    this.#record = { ...this.#record, ...changes };
    return new Promise((resolve) => {
      this.#unwritten.push(resolve);
      this.#wake();
    });
  }

  /** Ends the term and says how; others may take over at once. */
  async release(state: "released" | "finished"): Promise<void> {
    const had = this.valid;
    this.#end();
    await this.#life;
    if (!had) return;
    // Should this fail, the lease runs out by itself.
    await this.#store.write({ ...this.#record, state }, this.#revision).catch(() => undefined);
  }

  /** The work is to stop now: the term is not this coordinator's any more. */
  lose(reason: string): void {
    if (this.#over) return;
    this.#end();
    this.#onLost(reason);
  }

  #end(): void {
    this.#over = true;
    clearTimeout(this.#fence);
    this.#wake();
  }

  async #renewForEver(): Promise<void> {
    while (!this.#over) {
      if (this.#unwritten.length === 0 || this.#trouble !== "") await this.#pause();
      if (!this.#over) await this.#renew();
    }
    for (const resolve of this.#unwritten.splice(0)) resolve(false);
  }

  async #renew(): Promise<void> {
    const sentMs = this.#nowMs();
    const waiting = this.#unwritten.splice(0);
    try {
      this.#revision = await this.#store.write(this.#record, this.#revision);
      this.#validUntilMs = sentMs + SAFE_SHARE * this.#record.leaseMs;
      this.#trouble = "";
      for (const resolve of waiting) resolve(true);
      if (!this.#over) this.#armFence();
    } catch (thrown) {
      this.#unwritten.unshift(...waiting);
      this.#trouble = messageOf(thrown);
      if (thrown instanceof OvertakenError) await this.#settleDoubt();
    }
  }

  /** A write whose answer was lost may have been carried out: then the newest record is still this leader's. */
  async #settleDoubt(): Promise<void> {
    try {
      const entry = await this.#store.read();
      if (entry?.record.holder === this.#record.holder) this.#revision = entry.revision;
      else this.lose("another coordinator leads the run now");
    } catch (thrown) {
      this.#trouble = messageOf(thrown);
    }
  }

  #armFence(): void {
    clearTimeout(this.#fence);
    const leftMs = Math.max(0, this.#validUntilMs - this.#nowMs());
    this.#fence = setTimeout(() => this.#fenceReached(), leftMs);
  }

  #fenceReached(): void {
    if (this.valid) {
      this.#armFence();
      return;
    }
    const why = this.#trouble === "" ? "" : ` (${this.#trouble})`;
    this.lose(`the lead could not be kept up${why}`);
  }

  #pause(): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, RENEW_MS);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
      if (this.#over) this.#wake();
    });
  }
}
