/** The runs that one is compared with, and how each is drawn. */
import type { RunStore } from "./store.js";

/** With the run itself, eight curves: more colours could not be told apart by everybody. */
export const MOST_COMPARED = 7;

/** On screen, besides the colour: a pattern of dashes and gaps in CSS pixels. */
const DASHES: readonly (readonly number[])[] = [
  [6, 4],
  [2, 3],
  [12, 4],
  [10, 3, 2, 3],
  [5, 2],
  [2, 6],
  [14, 3, 5, 3],
];

/** A compared run as it is drawn. */
export interface Compared {
  readonly store: RunStore;
  /** Name of a CSS custom property. */
  readonly colour: string;
  readonly dash: readonly number[];
}

export function comparedWith(stores: readonly RunStore[]): Compared[] {
  return stores.map((store, at) => ({ store, colour: `--compared-${at + 1}`, dash: DASHES[at]! }));
}

/** What an address says: the run that is shown, the coordinator's own when undefined, and those that it is compared with. */
export function runsAsked(search: string): { run: string | undefined; compared: readonly string[] } {
  const query = new URLSearchParams(search);
  const run = query.get("run") || undefined;
  const names = new Set(query.getAll("compare").filter((name) => name !== "" && name !== run));
  return { run, compared: [...names].slice(0, MOST_COMPARED) };
}
