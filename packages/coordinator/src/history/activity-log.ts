/**
 * Who worked when, for the page's timelines: the share of each worker's slots that were busy, sampled from the status
 * and averaged over spans, for a fixed stretch of the past.
 */
import type { ActivityColumns, ClusterStatus } from "@mzsr/shared";

export interface ActivityLogOptions {
  /** Length of a span in seconds. */
  readonly spanSeconds?: number;
  /** Spans that are kept. */
  readonly spans?: number;
  /** Workers that are remembered after they have left; of more, those that left first are forgotten. */
  readonly mostDeparted?: number;
}

/** A ring of spans: span `n` stands at `n` modulo the number of spans. 10 bytes a span. */
interface Lane {
  readonly sums: Float64Array;
  readonly samples: Uint16Array;
  /** The newest span that it has a sample of. */
  newest: number;
}

/** Ten minutes in spans of five seconds, when nothing else is said. */
export class ActivityLog {
  readonly #spanSeconds: number;
  readonly #spans: number;
  readonly #mostDeparted: number;
  readonly #lanes = new Map<string, Lane>();
  #newest = 0;

  constructor({ spanSeconds = 5, spans = 120, mostDeparted = 500 }: ActivityLogOptions = {}) {
    this.#spanSeconds = spanSeconds;
    this.#spans = spans;
    this.#mostDeparted = mostDeparted;
  }

  /** Takes a sample of every connected worker. */
  sample(status: Pick<ClusterStatus, "workers">, nowMs: number): void {
    const span = this.#spanAt(nowMs);
    const isNewSpan = span > this.#newest;
    this.#newest = Math.max(this.#newest, span);
    for (const { worker, state, slots, busySlots } of status.workers) {
      if (state === "lost" || state === "gone") continue;
      this.#add(this.#laneOf(worker, span), span, slots > 0 ? Math.min(1, busySlots / slots) : 0);
    }
    if (isNewSpan) this.#forget();
  }

  /**
   * The stretch that ends now, oldest span first.
   * @param only names of the workers that are asked for; all by default
   */
  columns(nowMs: number, only?: readonly string[]): ActivityColumns {
    const last = this.#spanAt(nowMs);
    const first = last - this.#spans + 1;
    const workers = [...(only === undefined ? this.#lanes.keys() : new Set(only))].flatMap((worker) => {
      const lane = this.#lanes.get(worker);
      return lane === undefined ? [] : [{ worker, busy: this.#meansOf(lane, first) }];
    });
    return { from: first * this.#spanSeconds * 1000, spanSeconds: this.#spanSeconds, workers };
  }

  #spanAt(nowMs: number): number {
    return Math.floor(nowMs / (this.#spanSeconds * 1000));
  }

  #laneOf(worker: string, span: number): Lane {
    const known = this.#lanes.get(worker);
    if (known !== undefined) return known;
    const lane = { sums: new Float64Array(this.#spans), samples: new Uint16Array(this.#spans), newest: span };
    this.#lanes.set(worker, lane);
    return lane;
  }

  #add(lane: Lane, span: number, busy: number): void {
    // A clock that was set back by more than the stretch would write over what is newer.
    if (span <= lane.newest - this.#spans) return;
    for (let passed = Math.max(lane.newest + 1, span - this.#spans + 1); passed <= span; passed++) {
      lane.sums[passed % this.#spans] = 0;
      lane.samples[passed % this.#spans] = 0;
    }
    lane.newest = Math.max(lane.newest, span);
    const at = span % this.#spans;
    lane.sums[at]! += busy;
    lane.samples[at]!++;
  }

  #meansOf(lane: Lane, first: number): (number | null)[] {
    return Array.from({ length: this.#spans }, (_, offset) => {
      const span = first + offset;
      if (span > lane.newest || span <= lane.newest - this.#spans) return null;
      const at = span % this.#spans;
      const samples = lane.samples[at]!;
      return samples === 0 ? null : Math.round((1000 * lane.sums[at]!) / samples) / 1000;
    });
  }

  /** Forgets who has nothing left in the stretch, and of those that left, those beyond the bound that left first. */
  #forget(): void {
    const departed: string[] = [];
    for (const [worker, { newest }] of this.#lanes) {
      if (newest <= this.#newest - this.#spans) this.#lanes.delete(worker);
      // One that is connected has a sample in this span or, where the clock crept, the one before.
      else if (newest < this.#newest - 1) departed.push(worker);
    }
    if (departed.length <= this.#mostDeparted) return;
    departed.sort((a, b) => this.#lanes.get(a)!.newest - this.#lanes.get(b)!.newest);
    for (const worker of departed.slice(0, departed.length - this.#mostDeparted)) this.#lanes.delete(worker);
  }
}
