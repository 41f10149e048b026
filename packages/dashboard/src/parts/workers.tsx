import type { ActivityColumns, RunEventRecord, WorkerState, WorkerStatus } from "@mzsr/shared";
import type { RunStore } from "../data/store.js";
import { inOrder, laneOf } from "../data/timeline.js";
import { areMany } from "../data/worker-table.js";
import { formatClock, formatCount, formatDuration, formatPercent, formatSeconds } from "../format.js";
import { DeviceFacts, machineOf } from "./device-facts.js";
import { Fact } from "./fact.js";
import { TimelineLane } from "./timeline-lane.js";
import { WorkerOverview } from "./worker-overview.js";
import { WorkerTable } from "./worker-table.js";

const STATE_WORDS: Record<WorkerState, string> = {
  active: "Working",
  draining: "Leaving",
  quarantined: "Quarantined",
  lost: "Lost",
  gone: "Left",
};

const EMPTY: ActivityColumns = { from: 0, spanSeconds: 5, workers: [] };

/** Who works, how much, and why not. */
export function Workers({ store }: { store: RunStore }) {
  const status = store.status.value!;
  const { workers } = status;
  const activity = store.activity.value ?? EMPTY;
  const minutes = Math.round(
    (Math.max(0, ...activity.workers.map(({ busy }) => busy.length)) * activity.spanSeconds) / 60,
  );
  return (
    <section class="workers" aria-labelledby="workers-title">
      <div class="section-head">
        <h2 id="workers-title">Who works</h2>
        {minutes > 0 && <p class="aside">the last {minutes} minutes</p>}
      </div>
      {workers.length === 0 && (
        <p class="empty">No worker yet. One joins with: npx mzsr worker --coordinator host:port</p>
      )}
      {areMany(workers) ? (
        <>
          <WorkerOverview status={status} />
          <WorkerTable workers={workers} activity={activity} events={store.events.value} watch={store.watch} />
        </>
      ) : (
        <WorkerList workers={workers} activity={activity} events={store.events.value} />
      )}
    </section>
  );
}

interface WorkerListProps {
  readonly workers: readonly WorkerStatus[];
  readonly activity: ActivityColumns;
  readonly events: readonly RunEventRecord[];
}

/** A few workers, each with all that is known of it. */
function WorkerList({ workers, activity, events }: WorkerListProps) {
  const ordered = inOrder(workers);
  const here = ordered.filter(({ state }) => state !== "gone");
  const gone = ordered.filter(({ state }) => state === "gone");
  return (
    <>
      <ul class="worker-list">
        {here.map((worker) => (
          <Worker key={worker.worker} worker={worker} activity={activity} events={events} />
        ))}
      </ul>
      {gone.length > 0 && (
        <details>
          <summary>{gone.length === 1 ? "1 worker left" : `${gone.length} workers left`}</summary>
          <ul class="worker-list">
            {gone.map((worker) => (
              <Worker key={worker.worker} worker={worker} activity={activity} events={events} />
            ))}
          </ul>
        </details>
      )}
    </>
  );
}

interface WorkerProps {
  readonly worker: WorkerStatus;
  readonly activity: ActivityColumns;
  readonly events: readonly RunEventRecord[];
}

function Worker({ worker, activity, events }: WorkerProps) {
  const lane = laneOf(worker.worker, activity, events);
  const now = Date.now();
  return (
    <li class={`worker ${worker.state}`} data-worker={worker.worker}>
      <div class="worker-head">
        <h3>{worker.worker}</h3>
        <span class="state">{STATE_WORDS[worker.state]}</span>
        <span class="machine">{machineOf(worker)}</span>
        <Slots worker={worker} />
      </div>
      {worker.state !== "active" && (
        <p class="reason">
          {worker.reason} <time dateTime={new Date(worker.since).toISOString()}>{formatClock(worker.since, now)}</time>
        </p>
      )}
      <TimelineLane worker={worker.worker} lane={lane} />
      <dl class="worker-facts">
        <Fact name="busy" value={formatPercent(lane.utilisation)} />
        <Fact name="tasks" value={formatCount(worker.tasksDone)} />
        <Fact name="a task" value={formatSeconds(worker.secondsPerTask)} />
        {worker.tasksFailed > 0 && <Fact name="failed" value={formatCount(worker.tasksFailed)} />}
        <DeviceFacts device={worker.device} />
        {heardLate(worker) && <Fact name="since it was heard" value={formatDuration(worker.lastHeartbeatAgoSeconds)} />}
      </dl>
    </li>
  );
}

/** Heartbeats come every second; only a silence is worth a line. */
function heardLate({ state, lastHeartbeatAgoSeconds: ago }: WorkerStatus): boolean {
  return state !== "gone" && ago !== null && ago > 3;
}

function Slots({ worker: { slots, busySlots, state } }: { worker: WorkerStatus }) {
  if (state === "gone" || state === "lost") return null;
  return (
    <span class="slots">
      <span class="spoken">
        {busySlots} of {slots} slots busy
      </span>
      {Array.from({ length: Math.min(slots, 16) }, (_, slot) => (
        <i key={slot} class={slot < busySlots ? "busy" : ""} aria-hidden="true" />
      ))}
      {slots > 16 && (
        <span aria-hidden="true">
          {busySlots}/{slots}
        </span>
      )}
    </span>
  );
}
