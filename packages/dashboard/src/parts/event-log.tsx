import type { RunEventRecord } from "@mzsr/shared";
import { useSignal } from "@preact/signals";
import type { RunStore } from "../data/store.js";
import { formatClock, formatCount } from "../format.js";
import { EVENT_WORDS } from "./event-words.js";

const SHOWN = 7;
const TROUBLE = new Set<string>(["lost", "release", "refusal", "quarantine", "audit"]);

/** What happened to the cluster, newest first. */
export function EventLog({ store }: { store: RunStore }) {
  const troubleOnly = useSignal(false);
  const all = useSignal(false);
  const events = store.events.value.filter(({ kind }) => !troubleOnly.value || TROUBLE.has(kind)).reverse();
  const shown = all.value ? events : events.slice(0, SHOWN);
  const now = Date.now();
  return (
    <section class="events" aria-labelledby="events-title">
      <div class="section-head">
        <h2 id="events-title">What happened</h2>
        <label class="check">
          <input
            type="checkbox"
            checked={troubleOnly.value}
            onChange={(event) => (troubleOnly.value = event.currentTarget.checked)}
          />
          Only trouble
        </label>
      </div>
      {events.length === 0 && <p class="empty">{troubleOnly.value ? "No trouble." : "Nothing yet."}</p>}
      <ol>
        {shown.map((event, at) => (
          <Event key={`${event.at} ${events.length - at}`} event={event} nowMs={now} />
        ))}
      </ol>
      {events.length > SHOWN && (
        <button type="button" class="quiet" onClick={() => (all.value = !all.value)}>
          {all.value ? "Show fewer" : `Show all ${formatCount(events.length)}`}
        </button>
      )}
    </section>
  );
}

function Event({ event, nowMs }: { event: RunEventRecord; nowMs: number }) {
  return (
    <li class={TROUBLE.has(event.kind) ? "event trouble" : "event"}>
      <time dateTime={new Date(event.at).toISOString()}>{formatClock(event.at, nowMs)}</time>
      <span class="what">
        {event.worker !== undefined && <b>{event.worker}</b>} {EVENT_WORDS[event.kind]}
      </span>
      <span class="why">{event.reason}</span>
      {event.step !== undefined && <span class="where">step {formatCount(event.step)}</span>}
    </li>
  );
}
