import type { CoordinatorCore, CoordinatorEffect, CoordinatorEvent } from "@mzsr/coordinator";

export interface Host {
  nowMs(): number;
  carryOut(effect: CoordinatorEffect): void;
  /** Calls `wake` at that time, in place of a call asked for before. */
  wakeAt(atMs: number | undefined, wake: () => void): void;
}

export function hostLoop(core: CoordinatorCore, host: Host): (event: CoordinatorEvent) => void {
  const waiting: CoordinatorEvent[] = [];
  let busy = false;
  return function deliver(event) {
    waiting.push(event);
    if (busy) return;
    busy = true;
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      for (const effect of core.handle(next, host.nowMs())) host.carryOut(effect);
    }
    busy = false;
    host.wakeAt(core.nextWakeMs(host.nowMs()), () => deliver({ type: "tick" }));
  };
}
