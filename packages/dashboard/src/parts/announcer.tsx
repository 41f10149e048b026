import { useSignal, useSignalEffect } from "@preact/signals";
import { listed } from "../data/event-list.js";
import type { RunStore } from "../data/store.js";
import { sentenceOf } from "./event-words.js";

/** Events that a person who cannot see the page should hear of. */
const SPOKEN = new Set<string>(["join", "leave", "lost", "quarantine", "reinstated", "stage", "stop", "finished"]);

/** Tells screen readers, politely, what changed since the page was opened. */
export function Announcer({ store }: { store: RunStore }) {
  const said = useSignal("");
  const since = useSignal(Date.now());
  useSignalEffect(() => {
    const news = store.events.value.filter(({ at, kind }) => at > since.peek() && SPOKEN.has(kind));
    const newest = listed(news, false)[0];
    if (newest === undefined) return;
    since.value = newest.event.at;
    said.value = sentenceOf(newest);
  });
  return (
    <p class="spoken" aria-live="polite">
      {said}
    </p>
  );
}
