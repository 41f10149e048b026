import type { RunEvent } from "@mzsr/shared";
import type { ListedEvent } from "../data/event-list.js";
import { formatCount } from "../format.js";

/** What happened, in a word or two. */
export const EVENT_WORDS: Record<RunEvent["kind"], string> = {
  join: "joined",
  leave: "left",
  lost: "lost",
  release: "task given to another",
  refusal: "result refused",
  trial: "trial",
  quarantine: "quarantined",
  reinstated: "let back",
  audit: "audit",
  checkpoint: "checkpoint",
  stage: "next stage",
  resume: "resumed",
  stop: "stopping",
  finished: "finished",
};

const NAMED = 3;

/** `worker-1, worker-2, worker-3 and 997 more` */
export function namesOf(workers: readonly string[]): string {
  const more = workers.length - NAMED;
  const named = workers.slice(0, NAMED).join(", ");
  return more > 0 ? `${named} and ${formatCount(more)} more` : named;
}

export function sentenceOf({ event, crowd }: Pick<ListedEvent, "event" | "crowd">): string {
  if (crowd !== undefined) return `${formatCount(crowd.length)} workers ${EVENT_WORDS[event.kind]}: ${namesOf(crowd)}`;
  const subject = event.worker === undefined ? "" : `${event.worker} `;
  return `${subject}${EVENT_WORDS[event.kind]}: ${event.reason}`;
}
