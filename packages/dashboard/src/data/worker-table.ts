/** Many workers as a table: what they are together, which of them are looked for, in which order, and which rows are in view. */
import type { WorkerStatus } from "@mzsr/shared";

/** More than these are shown as an overview and a table instead of a list. */
export const MANY_WORKERS = 24;

/** Those that left are not counted: a list shows them folded away. */
export function areMany(workers: readonly WorkerStatus[]): boolean {
  return workers.filter(({ state }) => state !== "gone").length > MANY_WORKERS;
}

/** What a worker does, as one word of the page. */
export type Standing = "Working" | "On trial" | "Leaving" | "Quarantined" | "Lost" | "Left";

/** The order in which they ask for attention. */
const STANDINGS: readonly Standing[] = ["Quarantined", "Lost", "On trial", "Leaving", "Working", "Left"];

export type SortKey = "worker" | "standing" | "busy" | "tasks" | "seconds";

export interface SortOrder {
  readonly key: SortKey;
  readonly descending: boolean;
}

/** A worker and how long its tasks usually take, in seconds. */
export interface Pace {
  readonly worker: string;
  readonly seconds: number;
}

export interface Overview {
  /** How many there are of each standing that occurs, the most usual first. */
  readonly counts: readonly { readonly standing: Standing; readonly count: number }[];
  readonly slots: number;
  readonly busySlots: number;
  /** Of the connected workers that have done a task; undefined while none has. */
  readonly pace: { readonly fastest: Pace; readonly median: number; readonly slowest: Pace } | undefined;
}

const byName = new Intl.Collator("en", { numeric: true }).compare;

export function standingOf({ state, reason }: Pick<WorkerStatus, "state" | "reason">): Standing {
  switch (state) {
    case "active":
      return reason.startsWith("on trial") ? "On trial" : "Working";
    case "draining":
      return "Leaving";
    case "quarantined":
      return "Quarantined";
    case "lost":
      return "Lost";
    case "gone":
      return "Left";
  }
}

export function overviewOf(workers: readonly WorkerStatus[]): Overview {
  const counts = new Map<Standing, number>();
  for (const worker of workers) counts.set(standingOf(worker), (counts.get(standingOf(worker)) ?? 0) + 1);
  const connected = workers.filter(({ state }) => state === "active" || state === "draining");
  const paces = connected
    .flatMap(({ worker, secondsPerTask: seconds }) => (seconds === null ? [] : [{ worker, seconds }]))
    .sort((a, b) => a.seconds - b.seconds);
  return {
    counts: STANDINGS.toReversed()
      .map((standing) => ({ standing, count: counts.get(standing) ?? 0 }))
      .filter(({ count }) => count > 0)
      .sort((a, b) => Number(b.standing === "Working") - Number(a.standing === "Working")),
    slots: connected.reduce((sum, { slots }) => sum + slots, 0),
    busySlots: connected.reduce((sum, { busySlots }) => sum + busySlots, 0),
    pace:
      paces.length === 0
        ? undefined
        : { fastest: paces[0]!, median: paces[paces.length >> 1]!.seconds, slowest: paces.at(-1)! },
  };
}

/** Those in whose name, host, backend, standing or reason every word of the search occurs. */
export function matching(workers: readonly WorkerStatus[], search: string): readonly WorkerStatus[] {
  const words = search.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return workers;
  return workers.filter((worker) => {
    const { worker: name, host, backend, reason, state } = worker;
    const why = state === "active" ? "" : reason;
    const text = `${name} ${host} ${backend} ${standingOf(worker)} ${why}`.toLowerCase();
    return words.every((word) => text.includes(word));
  });
}

/** Those that are equal stand in the order of their names; what is not known stands last. */
export function sorted(workers: readonly WorkerStatus[], { key, descending }: SortOrder): WorkerStatus[] {
  const sign = descending ? -1 : 1;
  if (key === "worker") return [...workers].sort((a, b) => sign * byName(a.worker, b.worker));
  const valued = workers.map((worker) => ({ worker, value: numberOf(worker, key) }));
  valued.sort((a, b) => {
    if (a.value === b.value) return byName(a.worker.worker, b.worker.worker);
    if (a.value === null || b.value === null) return a.value === null ? 1 : -1;
    return sign * (a.value - b.value);
  });
  return valued.map(({ worker }) => worker);
}

function numberOf(worker: WorkerStatus, key: Exclude<SortKey, "worker">): number | null {
  switch (key) {
    case "standing":
      return STANDINGS.indexOf(standingOf(worker));
    case "busy":
      return worker.slots === 0 ? null : worker.busySlots / worker.slots;
    case "tasks":
      return worker.tasksDone;
    case "seconds":
      return worker.secondsPerTask;
  }
}

export interface RowWindow {
  /** Rows from `first` up to `end` are drawn. */
  readonly first: number;
  readonly end: number;
}

/**
 * The rows to draw: those in view and as many before and behind them, so that scrolling meets no gap.
 * @param scrolled, viewHeight, rowHeight in CSS pixels
 */
export function rowWindow(count: number, scrolled: number, viewHeight: number, rowHeight: number): RowWindow {
  const visible = Math.ceil(viewHeight / rowHeight);
  const spare = Math.ceil(visible / 2);
  const top = Math.min(Math.floor(scrolled / rowHeight), Math.max(0, count - visible));
  return { first: Math.max(0, top - spare), end: Math.min(count, top + visible + spare) };
}
