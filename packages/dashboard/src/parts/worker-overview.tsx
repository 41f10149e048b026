import type { ClusterStatus } from "@mzsr/shared";
import { overviewOf, type Pace } from "../data/worker-table.js";
import { formatCount, formatRate, formatSeconds } from "../format.js";

/** What many workers are together. */
export function WorkerOverview({ status }: { status: ClusterStatus }) {
  const { counts, slots, busySlots, pace } = overviewOf(status.workers);
  return (
    <dl class="worker-overview">
      {counts.map(({ standing, count }) => (
        <Fact key={standing} name={standing} value={formatCount(count)} />
      ))}
      <Fact name="Slots busy" value={`${formatCount(busySlots)} of ${formatCount(slots)}`} />
      <Fact name="Tasks a second" value={formatRate(status.tasksPerSecond)} />
      {pace !== undefined && (
        <>
          <Fact name="A task, usually" value={formatSeconds(pace.median)} />
          <Fact name="Fastest" value={paceText(pace.fastest)} />
          <Fact name="Slowest" value={paceText(pace.slowest)} />
        </>
      )}
    </dl>
  );
}

function paceText({ worker, seconds }: Pace): string {
  return `${worker}, ${formatSeconds(seconds)}`;
}

function Fact({ name, value }: { name: string; value: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}
