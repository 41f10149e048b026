import { useSignal, useSignalEffect } from "@preact/signals";
import type { RunStore } from "../data/store.js";
import { sentenceOf } from "./event-words.js";

/** Events that a person who cannot see the page should hear of. */
const SPOKEN = new Set<string>(["join", "leave", "lost", "quarantine", "reinstated", "stage", "stop", "finished"]);

/** Tells screen readers, politely, what changed since the page was opened. */
export function Announcer({ store }: { store: RunStore }) {
  const said = useSignal("");
  const since = useSignal(Date.now());
  useSignalEffect(() => {
    const newest = store.events.value.findLast((event) => SPOKEN.has(event.kind));
    if (newest === undefined || newest.at <= since.peek()) return;
    since.value = newest.at;
    said.value = sentenceOf(newest);
  });
  return (
    <p class="spoken" aria-live="polite">
      {said}
    </p>
  );
}
