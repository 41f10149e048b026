/** What goes wrong in a campaign, and when: a pure function of the seed, so that a campaign can be repeated. */
import { Draws } from "@mzsr/mzsr";

export const FAULT_KINDS = [
  "worker-kill",
  "worker-freeze",
  "worker-join",
  "worker-leave",
  "coordinator-kill",
  "coordinator-freeze",
  "nats-kill",
  "nats-freeze",
  "power-cut",
  "disk-full",
] as const;
/**
 * Kills are SIGKILL, freezes SIGSTOP and later SIGCONT, leaving is SIGTERM. A power cut kills every process at once. A
 * full disk is the run folder's.
 */
export type FaultKind = (typeof FAULT_KINDS)[number];

export interface Fault {
  /** Since the campaign's first step. */
  readonly atSeconds: number;
  readonly kind: FaultKind;
  /** Who is killed, frozen, asked to leave or joins. */
  readonly worker?: string;
  /** How long a freeze lasts. */
  readonly seconds?: number;
}

export interface ScheduleOptions {
  readonly seed: number;
  readonly count: number;
  /** Time over which the faults are spread. */
  readonly seconds: number;
  /** Workers at the start: worker-1, worker-2, … */
  readonly workers: number;
  /** Whether the disk becomes full, once. */
  readonly disk: boolean;
  /** Whether there is a nats-server to be hurt. */
  readonly nats: boolean;
}

const MOST_WORKERS = 4;
const SHORTEST_FREEZE = 0.1;
/** Longer than the patience of the campaign's configuration: some of the frozen are given up, some are not. */
const LONGEST_FREEZE = 6;

/** Stream of Draws that nobody else uses. */
const STREAM = [0xc4a05, 0, 0] as const;

/** The faults in the order in which they strike. There is always a worker that nobody has killed or sent away. */
export function faultSchedule(options: ScheduleOptions): Fault[] {
  const draws = new Draws(options.seed, STREAM);
  const times = Array.from({ length: options.count }, () => draws.uniform(0, options.seconds)).sort((a, b) => a - b);
  const diskAt = options.disk ? times.length >> 1 : -1;
  const workers = Array.from({ length: options.workers }, (_, i) => workerName(i + 1));
  let named = workers.length;
  return times.map((atSeconds, i): Fault => {
    const kind = i === diskAt ? "disk-full" : drawKind(draws, workers.length, options.nats);
    if (kind === "worker-join") {
      const worker = workerName(++named);
      workers.push(worker);
      return { atSeconds, kind, worker };
    }
    const at = draws.integer(workers.length);
    if (kind === "worker-kill" || kind === "worker-leave")
      return { atSeconds, kind, worker: workers.splice(at, 1)[0]! };
    const seconds = draws.uniform(SHORTEST_FREEZE, LONGEST_FREEZE);
    if (kind === "worker-freeze") return { atSeconds, kind, worker: workers[at]!, seconds };
    return kind.endsWith("freeze") ? { atSeconds, kind, seconds } : { atSeconds, kind };
  });
}

export function workerName(number: number): string {
  return `worker-${number}`;
}

function drawKind(draws: Draws, workers: number, nats: boolean): FaultKind {
  const spare = workers > 1;
  const weights: Record<FaultKind, number> = {
    "worker-kill": spare ? 4 : 0,
    "worker-freeze": 3,
    "worker-join": workers < MOST_WORKERS ? 6 : 0,
    "worker-leave": spare ? 2 : 0,
    "coordinator-kill": 3,
    "coordinator-freeze": 2,
    "nats-kill": nats ? 1.5 : 0,
    "nats-freeze": nats ? 1.5 : 0,
    "power-cut": 0.4,
    "disk-full": 0,
  };
  const total = Object.values(weights).reduce((sum, weight) => sum + weight, 0);
  let left = draws.uniform(0, total);
  for (const kind of FAULT_KINDS) {
    left -= weights[kind];
    if (left < 0) return kind;
  }
  return "coordinator-kill";
}
