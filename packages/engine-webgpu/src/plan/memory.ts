import { InputError } from "@mzsr/mzsr";
import type { Command } from "./command.js";
import { type MemoryUse, type MetaPlan, metaPlan, regionsOf, type TaskShape } from "./meta-plan.js";
import { pixelsOf } from "./shapes.js";

/** What a device allows. */
export interface MemoryLimits {
  /** Bytes of one buffer. */
  readonly bufferBytes: number;
  /** Bytes of a buffer that a kernel sees at once. */
  readonly bindingBytes: number;
}

export interface MemoryOptions {
  /** Tasks of a batch, at most. Default 32. */
  readonly tasks?: number;
  /** Bytes that may be taken. Default 2 GiB. */
  readonly memoryBytes?: number;
  readonly limits: MemoryLimits;
}

export interface MemoryPlan extends MemoryUse {
  /** All buffers together, those for reading back included. */
  readonly bytes: number;
  /** What one task more would take. */
  readonly bytesPerTask: number;
  /** The buffers and their bytes. */
  readonly regions: ReadonlyMap<string, number>;
  /** For people, one line. */
  readonly line: string;
}

const DEFAULT_TASKS = 32;
const DEFAULT_BYTES = 2 * 2 ** 30;

/** So many pixels fill any card: more query passes at once would only take memory. */
const ENOUGH_PIXELS = 2 ** 19;

/**
 * Decides how the memory is used, before anything is allocated: first as many tasks as fit, then as many inner steps
 * as can keep their activations (each that cannot costs two passes of fourteen), then as many query passes at once as
 * help to fill the card. None of it touches a bit of the results.
 *
 * @throws InputError when not even one task fits, saying what to lower
 */
export function planMemory(shape: TaskShape, options: MemoryOptions): MemoryPlan {
  const plan = metaPlan(shape);
  const { tasks: wanted = DEFAULT_TASKS, memoryBytes = DEFAULT_BYTES, limits } = options;
  const fits = (use: MemoryUse) => problemOf(regionsOf(plan, use), memoryBytes, limits) === undefined;
  const least = { tasks: 1, keptSteps: 1, queriesAtOnce: 1 };
  const problem = problemOf(regionsOf(plan, least), memoryBytes, limits);
  if (problem !== undefined) throw tooLittle(plan, problem);
  const tasks = largest(wanted, (count) => fits({ ...least, tasks: count }));
  const mostKept = shape.order === 2 ? shape.innerSteps : 1;
  const keptSteps = largest(mostKept, (count) => fits({ ...least, tasks, keptSteps: count }));
  const passes = shape.innerSteps + 1 - plan.firstQuery;
  const enough = Math.ceil(ENOUGH_PIXELS / (tasks * pixelsOf(shape.query)));
  const queriesAtOnce = largest(Math.min(passes, enough), (count) => fits({ tasks, keptSteps, queriesAtOnce: count }));
  const use = { tasks, keptSteps, queriesAtOnce };
  const bytes = bytesOf(regionsOf(plan, use));
  const bytesPerTask = bytesOf(regionsOf(plan, { ...use, tasks: tasks + 1 })) - bytes;
  const kept = shape.order === 2 ? `${keptSteps} of ${shape.innerSteps} inner steps keep their activations, ` : "";
  const line =
    `up to ${tasks} task${tasks === 1 ? "" : "s"} a batch at ${size(bytesPerTask)} each, ${kept}` +
    `${queriesAtOnce} of ${passes} query passes at once: ${size(bytes)} of ${size(memoryBytes)}`;
  return { ...use, bytes, bytesPerTask, regions: regionsOf(plan, use), line };
}

/** What the gradients of so many minibatches at once take. */
export interface MinibatchMemory {
  /** Minibatches of a batch, at most. */
  readonly tasks: number;
  readonly bytes: number;
  readonly regions: ReadonlyMap<string, number>;
}

/**
 * As `planMemory`, for plain gradients: of the plan's buffers, only those that the commands use.
 *
 * @throws InputError when not even one minibatch fits
 */
export function planMinibatches(plan: MetaPlan, commands: readonly Command[], options: MemoryOptions): MinibatchMemory {
  const { tasks: wanted = DEFAULT_TASKS, memoryBytes = DEFAULT_BYTES, limits } = options;
  const used = new Set(commands.flatMap(({ bindings }) => Object.values(bindings).map(({ region }) => region)));
  const regions = (tasks: number) =>
    new Map([...regionsOf(plan, { tasks, keptSteps: 1, queriesAtOnce: 1 })].filter(([region]) => used.has(region)));
  const problem = problemOf(regions(1), memoryBytes, limits);
  if (problem !== undefined) throw tooLittle(plan, problem);
  const tasks = largest(wanted, (count) => problemOf(regions(count), memoryBytes, limits) === undefined);
  return { tasks, bytes: bytesOf(regions(tasks)), regions: regions(tasks) };
}

/** Copies of the results that are read back: one for each batch on its way. */
const READ_BACKS = 2;

type Regions = ReadonlyMap<string, number>;

function bytesOf(regions: Regions): number {
  return [...regions.values()].reduce((sum, bytes) => sum + bytes, 0) + READ_BACKS * regions.get("result")!;
}

/** Why these buffers of one task do not fit, if they do not. */
function problemOf(regions: Regions, memoryBytes: number, limits: MemoryLimits): string | undefined {
  const bytes = bytesOf(regions);
  if (bytes > memoryBytes) return `a task needs ${size(bytes)} of GPU memory where ${size(memoryBytes)} may be taken`;
  const most = Math.min(limits.bufferBytes, limits.bindingBytes);
  for (const [region, regionBytes] of regions) {
    if (regionBytes > most)
      return `a task needs a buffer (${region}) of ${size(regionBytes)}; this GPU allows ${size(most)}`;
  }
  return undefined;
}

function tooLittle({ shape }: MetaPlan, problem: string): InputError {
  const { architecture, support, query } = shape;
  return new InputError(problem, {
    expected:
      `more memory, or fewer or smaller patches (${support.patches} of ${support.height} × ${support.width} and ` +
      `${query.patches} of ${query.height} × ${query.width} pixels), or a smaller network ` +
      `(depth ${architecture.depth}, width ${architecture.width})`,
  });
}

/** The largest count from 1 to `most` that does; 1 is known to do, and if one does, all below it do. */
function largest(most: number, does: (count: number) => boolean): number {
  let [low, high] = [1, Math.max(1, Math.floor(most))];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (does(middle)) low = middle;
    else high = middle - 1;
  }
  return low;
}

function size(bytes: number): string {
  if (bytes >= 1e9) return `${(bytes / 1e9).toFixed(bytes >= 1e10 ? 0 : 1)} GB`;
  return `${Math.max(1, Math.round(bytes / 1e6))} MB`;
}
