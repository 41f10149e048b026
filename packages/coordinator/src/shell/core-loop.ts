/** Feeds events to the core one at a time, carries its effects out in order, and wakes it when it asks to be woken. */
import type { CoordinatorEffect, CoordinatorEvent } from "../core/events.js";

/** What the loop needs of the core. */
export interface LoopCore {
  handle(event: CoordinatorEvent, nowMs: number): CoordinatorEffect[];
  nextWakeMs(nowMs: number): number | undefined;
}

export class CoreLoop {
  readonly #core: LoopCore;
  readonly #nowMs: () => number;
  readonly #mayAct: () => boolean;
  readonly #queue: CoordinatorEvent[] = [];
  /** Undefined until the loop is started: whoever delivers events may be there before what carries effects out. */
  #carryOut: ((effect: CoordinatorEffect) => void) | undefined;
  #busy = false;
  #stopped = false;
  #timer: NodeJS.Timeout | undefined;
  /** When the timer that is set will ring. */
  #timerMs: number | undefined;

  /** @param mayAct asked before every event: once it says no, nothing is handled any more */
  constructor(core: LoopCore, nowMs: () => number, mayAct: () => boolean = () => true) {
    this.#core = core;
    this.#nowMs = nowMs;
    this.#mayAct = mayAct;
  }

  /** Begins with what has been delivered so far. */
  start(carryOut: (effect: CoordinatorEffect) => void): void {
    this.#carryOut = carryOut;
    this.deliver({ type: "tick" });
  }

  /**
   * Takes an event. It waits until the loop is started; one that an effect brings about waits until the effects before
   * it are carried out.
   */
  deliver(event: CoordinatorEvent): void {
    this.#queue.push(event);
    if (this.#busy || this.#stopped || this.#carryOut === undefined) return;
    this.#busy = true;
    try {
      for (let next = this.#queue.shift(); next !== undefined && !this.#stopped; next = this.#queue.shift()) {
        if (this.#mayAct()) for (const effect of this.#core.handle(next, this.#nowMs())) this.#carryOut(effect);
        else this.stop();
      }
    } finally {
      this.#busy = false;
    }
    this.#setTimer();
  }

  /** Nothing is handled any more. */
  stop(): void {
    this.#stopped = true;
    this.#queue.length = 0;
    clearTimeout(this.#timer);
  }

  #setTimer(): void {
    if (this.#stopped) return;
    const now = this.#nowMs();
    const wakeMs = this.#core.nextWakeMs(now);
    if (wakeMs === this.#timerMs) return;
    clearTimeout(this.#timer);
    this.#timerMs = wakeMs;
    if (wakeMs === undefined) return;
    this.#timer = setTimeout(() => this.#ring(), Math.max(0, wakeMs - now));
  }

  #ring(): void {
    this.#timerMs = undefined;
    // What arrived meanwhile is heard first: after a pause of this process the timer is due before any socket is read.
    setImmediate(() => this.deliver({ type: "tick" }));
  }
}
