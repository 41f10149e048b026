/** What happened, line by line: kept only when somebody wants to read it. */
import { createHash, type Hash } from "node:crypto";
import type { CoordinatorEffect, CoordinatorEvent } from "@mzsr/coordinator";
import type { WorkerEffect, WorkerEvent } from "@mzsr/worker";
import type { Clock } from "./clock.js";

export class Trace {
  readonly #clock: Clock;
  readonly #startMs: number;
  readonly #write: ((line: string) => void) | undefined;
  readonly #hash: Hash | undefined;

  /** @param write takes each line; without it nothing is formatted */
  constructor(clock: Clock, write?: (line: string) => void) {
    this.#clock = clock;
    this.#startMs = clock.nowMs;
    this.#write = write;
    this.#hash = write && createHash("sha256");
  }

  /** Of all lines: two runs of one seed are the same, line by line. */
  get digest(): string {
    return this.#hash?.copy().digest("hex") ?? "";
  }

  fault(text: string): void {
    this.#line("fault", text);
  }

  coordinator(event: CoordinatorEvent, effects: readonly CoordinatorEffect[]): void {
    if (!this.#write) return;
    const quiet = (event.type === "tick" || event.type === "heartbeat") && effects.length === 0;
    if (!quiet)
      this.#line("coordinator", [describe(event), ...effects.map((effect) => `  → ${describe(effect)}`)].join("\n"));
  }

  worker(name: string, event: WorkerEvent, effects: readonly WorkerEffect[]): void {
    if (!this.#write || (event.type === "tick" && effects.every((effect) => effect.type === "send"))) return;
    this.#line(name, [describe(event), ...effects.map((effect) => `  → ${describe(effect)}`)].join("\n"));
  }

  #line(who: string, text: string): void {
    if (!this.#write) return;
    const line = `${((this.#clock.nowMs - this.#startMs) / 1000).toFixed(3).padStart(9)} ${who}: ${text}`;
    this.#hash!.update(line);
    this.#write(line);
  }
}

/** Short: arrays of numbers by their length, tasks by their place. */
function describe(value: object): string {
  return JSON.stringify(value, (key, inner) => {
    if (inner instanceof Float32Array || inner instanceof Float64Array) return `${inner.length} numbers`;
    if (key === "configuration" || key === "state" || key === "summary" || key === "hello") return "…";
    if (key === "task") return `${inner.step}/${inner.index}`;
    return inner;
  });
}
