/** The list of what happened, newest first, with what only repeats itself brought together. */
import type { RunEventRecord } from "@mzsr/shared";

export interface ListedEvent {
  /** The newest of those that it stands for. */
  readonly event: RunEventRecord;
  /** How many of a kind came one after the other. */
  readonly times: number;
  /** The workers of a crowd, the earliest first; undefined for what is told singly. */
  readonly crowd?: readonly string[];
}

/** So many workers to which the same happens one after the other are told of together. */
const CROWD = 6;
const OF_A_CROWD = new Set<string>(["join", "leave", "lost", "quarantine", "reinstated", "trial"]);

const TROUBLE = new Set<string>(["lost", "release", "refusal", "quarantine"]);
const REPETITIVE = new Set<string>(["checkpoint", "release", "refusal"]);

export function isTrouble({ kind, reason }: RunEventRecord): boolean {
  return TROUBLE.has(kind) || (kind === "checkpoint" && reason.startsWith("could not"));
}

/** Fetched events and those that the stream told meanwhile, oldest first: some of these may be among the fetched ones. */
export function withHeard(
  fetched: readonly RunEventRecord[],
  heard: readonly RunEventRecord[],
): readonly RunEventRecord[] {
  const known = new Set(fetched.map(identity));
  return [...fetched, ...heard.filter((event) => !known.has(identity(event)))];
}

function identity({ at, kind, worker, step, index, reason }: RunEventRecord): string {
  return JSON.stringify([at, kind, worker, step, index, reason]);
}

/** @param events oldest first */
export function listed(events: readonly RunEventRecord[], troubleOnly: boolean): ListedEvent[] {
  const list: ListedEvent[] = [];
  for (const event of events.toReversed()) {
    if (troubleOnly && !isTrouble(event)) continue;
    const newer = list.at(-1);
    if (newer !== undefined && repeats(event, newer.event))
      list[list.length - 1] = { ...newer, times: newer.times + 1 };
    else list.push({ event, times: 1 });
  }
  return gathered(list);
}

/** Crowds of workers brought together, the rest as it is. */
function gathered(list: readonly ListedEvent[]): ListedEvent[] {
  const result: ListedEvent[] = [];
  for (let start = 0; start < list.length; ) {
    const { kind } = list[start]!.event;
    let end = start + 1;
    while (end < list.length && OF_A_CROWD.has(kind) && list[end]!.event.kind === kind) end++;
    if (end - start < CROWD) result.push(...list.slice(start, end));
    else result.push(crowdOf(list.slice(start, end)));
    start = end;
  }
  return result;
}

/** @param alike newest first, all of a kind */
function crowdOf(alike: readonly ListedEvent[]): ListedEvent {
  const workers = new Set(alike.toReversed().flatMap(({ event }) => event.worker ?? []));
  return { event: alike[0]!.event, times: alike.length, crowd: [...workers] };
}

function repeats(event: RunEventRecord, newer: RunEventRecord): boolean {
  const { kind, worker, reason } = event;
  return REPETITIVE.has(kind) && kind === newer.kind && worker === newer.worker && reason === newer.reason;
}
