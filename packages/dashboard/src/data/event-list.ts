/** The list of what happened, newest first, with what only repeats itself brought together. */
import type { RunEventRecord } from "@mzsr/shared";

export interface ListedEvent {
  /** The newest of those that it stands for. */
  readonly event: RunEventRecord;
  /** How many of a kind came one after the other. */
  readonly times: number;
}

const TROUBLE = new Set<string>(["lost", "release", "refusal", "quarantine"]);
const REPETITIVE = new Set<string>(["checkpoint", "release", "refusal"]);

export function isTrouble({ kind, reason }: RunEventRecord): boolean {
  return TROUBLE.has(kind) || (kind === "checkpoint" && reason.startsWith("could not"));
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
  return list;
}

function repeats(event: RunEventRecord, newer: RunEventRecord): boolean {
  const { kind, worker, reason } = event;
  return REPETITIVE.has(kind) && kind === newer.kind && worker === newer.worker && reason === newer.reason;
}
