import type { RunEvent } from "@mzsr/shared";

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

export function sentenceOf(event: RunEvent): string {
  const subject = event.worker === undefined ? "" : `${event.worker} `;
  return `${subject}${EVENT_WORDS[event.kind]}: ${event.reason}`;
}
