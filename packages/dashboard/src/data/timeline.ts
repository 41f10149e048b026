/** A worker's lane over the last minutes: when it was there, how busy it was, what happened to it. */
import type { ActivityColumns, RunEventRecord, WorkerStatus } from "@mzsr/shared";

export interface LaneMark {
  /** 0…1 from the left. */
  readonly position: number;
  readonly kind: "join" | "leave" | "lost" | "quarantine" | "reinstated";
  readonly reason: string;
  readonly at: number;
}

export interface Lane {
  readonly busy: readonly (number | null)[];
  readonly marks: readonly LaneMark[];
  /** Mean share of its slots that were busy while it was connected; null when it was not. */
  readonly utilisation: number | null;
}

const MARKED = new Set<string>(["join", "leave", "lost", "quarantine", "reinstated"]);

/** The lane of one worker over the stretch that the activity covers. */
export function laneOf(worker: string, activity: ActivityColumns, events: readonly RunEventRecord[]): Lane {
  const busy = activity.workers.find((lane) => lane.worker === worker)?.busy ?? [];
  const known = busy.filter((share): share is number => share !== null);
  const spans = Math.max(...activity.workers.map((lane) => lane.busy.length), 1);
  const length = 1000 * activity.spanSeconds * spans;
  const marks = events
    .filter((event) => event.worker === worker && MARKED.has(event.kind))
    .map(({ at, kind, reason }) => ({
      position: (at - activity.from) / length,
      kind: kind as LaneMark["kind"],
      reason,
      at,
    }))
    .filter(({ position }) => position >= 0 && position <= 1);
  const utilisation = known.length === 0 ? null : known.reduce((sum, share) => sum + share, 0) / known.length;
  return { busy, marks, utilisation };
}

const PRESENT = new Set<WorkerStatus["state"]>(["active", "draining", "quarantined"]);

/** Connected workers first, each group by name: lines keep their place while numbers change. */
export function inOrder(workers: readonly WorkerStatus[]): WorkerStatus[] {
  const rank = (worker: WorkerStatus) => (PRESENT.has(worker.state) ? 0 : worker.state === "lost" ? 1 : 2);
  const byName = new Intl.Collator("en", { numeric: true }).compare;
  return [...workers].sort((a, b) => rank(a) - rank(b) || byName(a.worker, b.worker));
}
