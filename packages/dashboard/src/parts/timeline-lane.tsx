import type { Lane } from "../data/timeline.js";
import { formatClock, formatPercent } from "../format.js";
import { EVENT_WORDS } from "./event-words.js";

const HEIGHT = 20;

/** One worker's last minutes: the filled height is the share of its slots that were busy, a gap is absence. */
export function TimelineLane({ worker, lane }: { worker: string; lane: Lane }) {
  const { busy, marks, utilisation } = lane;
  if (busy.length === 0 && marks.length === 0) return null;
  const now = Date.now();
  const told = marks.map(({ at, kind, reason }) => `${EVENT_WORDS[kind]} at ${formatClock(at, now)}: ${reason}`);
  const label = [`${worker}: busy ${formatPercent(utilisation)} of the time`, ...told].join("; ");
  return (
    <div class="lane" role="img" aria-label={label}>
      <svg viewBox={`0 0 ${Math.max(1, busy.length)} ${HEIGHT}`} preserveAspectRatio="none" aria-hidden="true">
        <path class="present" d={presence(busy)} />
        <path class="busy" d={area(busy)} />
      </svg>
      {marks.map(({ position, kind, at, reason }) => (
        <i
          key={`${kind} ${at}`}
          class={`mark ${kind}`}
          style={{ left: `${100 * position}%` }}
          title={`${EVENT_WORDS[kind]}, ${formatClock(at, now)}: ${reason}`}
        />
      ))}
    </div>
  );
}

function presence(busy: Lane["busy"]): string {
  return busy.map((share, at) => (share === null ? "" : `M${at} 0h1v${HEIGHT}h-1z`)).join("");
}

function area(busy: Lane["busy"]): string {
  return busy
    .map((share, at) => {
      if (share === null || share === 0) return "";
      const height = Math.max(1, HEIGHT * share);
      return `M${at} ${HEIGHT - height}h1.02v${height}h-1.02z`;
    })
    .join("");
}
