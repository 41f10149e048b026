import { useSignal } from "@preact/signals";
import { isTrouble, type ListedEvent, listed } from "../data/event-list.js";
import type { RunStore } from "../data/store.js";
import { formatClock, formatCount } from "../format.js";
import { EVENT_WORDS, namesOf } from "./event-words.js";

const SHOWN = 7;
/** Drawn when all are asked for. */
const MOST_SHOWN = 500;

/** What happened to the cluster, newest first. */
export function EventLog({ store }: { store: RunStore }) {
  const troubleOnly = useSignal(false);
  const all = useSignal(false);
  const events = listed(store.events.value, troubleOnly.value);
  const shown = events.slice(0, all.value ? MOST_SHOWN : SHOWN);
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
        {shown.map((each, at) => (
          <Event key={`${each.event.at} ${events.length - at}`} listed={each} nowMs={now} />
        ))}
      </ol>
      {events.length > SHOWN && (
        <button type="button" class="quiet" onClick={() => (all.value = !all.value)}>
          {all.value
            ? "Show fewer"
            : `Show ${events.length > MOST_SHOWN ? "the newest" : "all"} ${formatCount(Math.min(events.length, MOST_SHOWN))}`}
        </button>
      )}
    </section>
  );
}

function Event({ listed: { event, times, crowd }, nowMs }: { listed: ListedEvent; nowMs: number }) {
  return (
    <li class={isTrouble(event) ? "event trouble" : "event"}>
      <time dateTime={new Date(event.at).toISOString()}>{formatClock(event.at, nowMs)}</time>
      <span class="what">
        {event.worker !== undefined && (
          <b>{crowd === undefined ? event.worker : `${formatCount(crowd.length)} workers`}</b>
        )}{" "}
        {EVENT_WORDS[event.kind]}
        {crowd === undefined && times > 1 && ` ×\u00a0${times}`}
      </span>
      <span class="why">{crowd === undefined ? event.reason : namesOf(crowd)}</span>
      {event.step !== undefined && <span class="where">step {formatCount(event.step)}</span>}
    </li>
  );
}
