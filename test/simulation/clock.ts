interface Appointment {
  readonly atMs: number;
  /** Appointments of one moment keep the order in which they were made. */
  readonly order: number;
  readonly run: () => void;
}

/** Simulated time: it jumps from one appointment to the next. */
export class Clock {
  /** A binary heap, the earliest at the root. */
  readonly #heap: Appointment[] = [];
  #nowMs: number;
  #made = 0;

  constructor(startMs: number) {
    this.#nowMs = startMs;
  }

  get nowMs(): number {
    return this.#nowMs;
  }

  after(ms: number, run: () => void): void {
    this.at(this.#nowMs + ms, run);
  }

  at(atMs: number, run: () => void): void {
    const heap = this.#heap;
    heap.push({ atMs: Math.max(atMs, this.#nowMs), order: this.#made++, run });
    for (let i = heap.length - 1; i > 0; ) {
      const parent = (i - 1) >> 1;
      if (!before(heap[i]!, heap[parent]!)) break;
      swap(heap, i, parent);
      i = parent;
    }
  }

  /** Goes to the next appointment and keeps it. False when there is none up to `untilMs`. */
  step(untilMs: number): boolean {
    const next = this.#heap[0];
    if (!next || next.atMs > untilMs) return false;
    this.#removeFirst();
    this.#nowMs = next.atMs;
    next.run();
    return true;
  }

  #removeFirst(): void {
    const heap = this.#heap;
    const last = heap.pop()!;
    if (heap.length === 0) return;
    heap[0] = last;
    for (let i = 0; ; ) {
      const left = 2 * i + 1;
      const right = left + 1;
      let least = i;
      if (left < heap.length && before(heap[left]!, heap[least]!)) least = left;
      if (right < heap.length && before(heap[right]!, heap[least]!)) least = right;
      if (least === i) return;
      swap(heap, i, least);
      i = least;
    }
  }
}

function before(a: Appointment, b: Appointment): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
}

function swap(heap: Appointment[], i: number, j: number): void {
  const held = heap[i]!;
  heap[i] = heap[j]!;
  heap[j] = held;
}
