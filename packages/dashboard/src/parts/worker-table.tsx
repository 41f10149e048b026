import type { ActivityColumns, RunEventRecord, WorkerStatus } from "@mzsr/shared";
import { useSignal } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import { laneOf } from "../data/timeline.js";
import { matching, rowWindow, type SortKey, type SortOrder, sorted, standingOf } from "../data/worker-table.js";
import { formatCount, formatSeconds } from "../format.js";
import { machineOf } from "./device-facts.js";
import { TimelineLane } from "./timeline-lane.js";

/** CSS pixels. Every row has the same height, so that it is known which of them are in view. */
const ROW_HEIGHT = 48;
const VIEW_HEIGHT = 480;

const COLUMNS: readonly { readonly key: SortKey; readonly name: string }[] = [
  { key: "worker", name: "Worker" },
  { key: "standing", name: "State" },
  { key: "busy", name: "Busy" },
  { key: "tasks", name: "Tasks" },
  { key: "seconds", name: "A task" },
];

export interface WorkerTableProps {
  readonly workers: readonly WorkerStatus[];
  readonly activity: ActivityColumns;
  readonly events: readonly RunEventRecord[];
  /** Told whose lanes are in view. */
  readonly watch: (workers: readonly string[]) => void;
}

/** Many workers, to be searched and sorted. Only the rows in view are drawn. */
export function WorkerTable({ workers, activity, events, watch }: WorkerTableProps) {
  const search = useSignal("");
  const order = useSignal<SortOrder>({ key: "standing", descending: false });
  const scrolled = useSignal(0);
  const rows = useMemo(
    () => sorted(matching(workers, search.value), order.value),
    [workers, search.value, order.value],
  );
  const { first, end } = rowWindow(rows.length, scrolled.value, VIEW_HEIGHT, ROW_HEIGHT);
  const drawn = rows.slice(first, end);
  const names = drawn.map(({ worker }) => worker);
  useEffect(() => watch(names), [names.join("\n")]);
  return (
    <>
      <div class="worker-search">
        <label>
          Search
          <input
            type="search"
            placeholder="name, host, state"
            value={search.value}
            onInput={(event) => (search.value = event.currentTarget.value)}
          />
        </label>
        <p role="status" class="aside">
          {search.value.trim() !== "" && `${formatCount(rows.length)} of ${formatCount(workers.length)} workers`}
        </p>
      </div>
      <section
        class="worker-scroll"
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached with the keyboard
        tabIndex={0}
        aria-label="Table of workers"
        style={{ maxHeight: `${VIEW_HEIGHT}px` }}
        onScroll={(event) => (scrolled.value = event.currentTarget.scrollTop)}
      >
        <table aria-rowcount={rows.length + 1}>
          <thead>
            <tr aria-rowindex={1}>
              {COLUMNS.map(({ key, name }) => (
                <Heading key={key} name={name} sortKey={key} order={order.value} sort={(by) => (order.value = by)} />
              ))}
              <th scope="col" class="lane-cell">
                Lately
              </th>
            </tr>
          </thead>
          <tbody>
            <Gap rows={first} />
            {drawn.map((worker, at) => (
              <Row key={worker.worker} index={first + at + 2} worker={worker} activity={activity} events={events} />
            ))}
            <Gap rows={rows.length - end} />
          </tbody>
        </table>
      </section>
      {rows.length === 0 && <p class="empty">No worker matches.</p>}
    </>
  );
}

interface HeadingProps {
  readonly name: string;
  readonly sortKey: SortKey;
  readonly order: SortOrder;
  readonly sort: (order: SortOrder) => void;
}

/** A heading sorts by its column, and turns the order round when it does already. */
function Heading({ name, sortKey, order, sort }: HeadingProps) {
  const sorts = order.key === sortKey;
  const direction = order.descending ? "descending" : "ascending";
  return (
    <th scope="col" class={`${sortKey}-cell`} aria-sort={sorts ? direction : "none"}>
      <button type="button" onClick={() => sort({ key: sortKey, descending: sorts && !order.descending })}>
        {name}
        <span aria-hidden="true">{sorts ? (order.descending ? "↓" : "↑") : ""}</span>
      </button>
    </th>
  );
}

interface RowProps {
  /** Counts the heading as row 1. */
  readonly index: number;
  readonly worker: WorkerStatus;
  readonly activity: ActivityColumns;
  readonly events: readonly RunEventRecord[];
}

function Row({ index, worker, activity, events }: RowProps) {
  const { worker: name, state, reason, slots, busySlots, tasksDone, tasksFailed } = worker;
  const standing = standingOf(worker);
  const detail = standing === "Working" ? machineOf(worker) : reason;
  return (
    <tr
      aria-rowindex={index}
      class={`worker-row ${standing === "On trial" ? "trial" : state}`}
      data-worker={name}
      style={{ height: `${ROW_HEIGHT}px` }}
    >
      <th scope="row" class="worker-cell" title={`${name}: ${detail}`}>
        <b>{name}</b>
        <span class="machine">{detail}</span>
      </th>
      <td class="standing-cell">
        <span class="state">{standing}</span>
      </td>
      <td class="busy-cell">
        {busySlots}/{slots}
      </td>
      <td class="tasks-cell" title={tasksFailed > 0 ? `${formatCount(tasksFailed)} failed` : undefined}>
        {formatCount(tasksDone)}
      </td>
      <td class="seconds-cell">{formatSeconds(worker.secondsPerTask)}</td>
      <td class="lane-cell">
        <TimelineLane worker={name} lane={laneOf(name, activity, events)} />
      </td>
    </tr>
  );
}

/** Stands for rows that are out of view. */
function Gap({ rows }: { rows: number }) {
  if (rows === 0) return null;
  return (
    // biome-ignore lint/a11y/noAriaHiddenOnFocusable: it cannot be focused; a reader counts the rows by their index
    <tr aria-hidden="true" class="gap" style={{ height: `${rows * ROW_HEIGHT}px` }}>
      <td />
    </tr>
  );
}
