/** Means over the photos of a data set, in the layout of the paper's table 1: a row a kernel and data set, a column a method. */
import type { Job, JobResult, Measured } from "./job.js";
import { type Method, methodName, methodTitle } from "./methods.js";
import { publishedRow } from "./published-figures.js";

export interface Column {
  /** `methodName`. */
  readonly method: string;
  readonly model: string | null;
  readonly title: string;
}

export interface Cell {
  readonly psnrY: number;
  readonly ssimY: number;
  /** Of a photo. */
  readonly seconds: number;
  /** Photos that the means are of. */
  readonly photos: number;
}

export interface Row {
  readonly dataset: string;
  readonly kernel: string;
  readonly downsampling: string;
  readonly scale: number;
  /** Photos of the data set. */
  readonly photos: number;
  /** By column; undefined where nothing was measured. */
  readonly cells: readonly (Cell | undefined)[];
  /** PSNR-Y that was published, by column. */
  readonly published: readonly (number | undefined)[] | undefined;
}

export interface Summary {
  readonly columns: readonly Column[];
  readonly rows: readonly Row[];
  /** What the reader should know. */
  readonly notes: readonly string[];
}

export function summaryOf(
  methods: readonly Method[],
  models: readonly string[],
  jobs: readonly Job[],
  results: readonly JobResult[],
): Summary {
  const columns = columnsOf(methods, models);
  const rows = groupsOf(jobs).map((group) => rowOf(group, columns, results));
  return { columns, rows, notes: [...zssrNotes(jobs, results), ...missingNotes(rows)] };
}

function columnsOf(methods: readonly Method[], models: readonly string[]): Column[] {
  return methods.flatMap((method): Column[] => {
    const name = methodName(method);
    if (method.kind !== "mzsr") return [{ method: name, model: null, title: methodTitle(name) }];
    const suffix = (model: string) => (models.length > 1 ? `, ${model}` : "");
    return models.map((model) => ({ method: name, model, title: `${methodTitle(name)}${suffix(model)}` }));
  });
}

type Group = Pick<Row, "dataset" | "kernel" | "downsampling" | "scale"> & { readonly images: ReadonlySet<string> };

/** Kernel by kernel, as in the paper. */
function groupsOf(jobs: readonly Job[]): Group[] {
  const groups = new Map<string, Group & { images: Set<string> }>();
  for (const {
    case: { dataset, kernel, downsampling, scale, image },
  } of jobs) {
    const id = JSON.stringify([scale, kernel, dataset]);
    const group = groups.get(id) ?? { dataset, kernel, downsampling, scale, images: new Set<string>() };
    group.images.add(image);
    groups.set(id, group);
  }
  return [...groups.values()];
}

function rowOf({ images, ...group }: Group, columns: readonly Column[], results: readonly JobResult[]): Row {
  const { dataset, kernel, scale } = group;
  const own = results.filter((r) => r.dataset === dataset && r.kernel === kernel && r.scale === scale);
  const published = publishedRow(dataset, kernel, scale);
  return {
    ...group,
    photos: images.size,
    cells: columns.map((column) => cellOf(measuredBy(own, column))),
    published: published && columns.map(({ method }) => published.psnrY[method]),
  };
}

/** What was measured in a column. */
export function measuredBy(results: readonly JobResult[], { method, model }: Column): Measured[] {
  return results
    .filter((result) => result.model === model)
    .flatMap(({ methods }) => methods.filter((measured) => measured.method === method));
}

function cellOf(all: readonly Measured[]): Cell | undefined {
  if (all.length === 0) return undefined;
  const mean = (pick: (one: Measured) => number) => all.reduce((sum, one) => sum + pick(one), 0) / all.length;
  return {
    psnrY: mean((one) => one.psnr_y),
    ssimY: mean((one) => one.ssim_y),
    seconds: mean((one) => one.seconds),
    photos: all.length,
  };
}

function zssrNotes(jobs: readonly Job[], results: readonly JobResult[]): string[] {
  const subject = jobs.find((job) => job.subject.kind === "zssr")?.subject;
  if (subject?.kind !== "zssr") return [];
  const all = results.flatMap(({ methods }) => methods.filter(({ method }) => method === "zssr"));
  const ended = all.filter(({ converged }) => converged).length;
  return [
    `ZSSR: at most ${subject.updates} updates a photo; ${ended} of ${all.length} photos had learned all before that`,
  ];
}

function missingNotes(rows: readonly Row[]): string[] {
  return rows.flatMap(({ dataset, kernel, scale, photos, cells }) => {
    const fewest = Math.min(...cells.flatMap((cell) => (cell === undefined ? [] : [cell.photos])));
    return fewest < photos
      ? [`${dataset}, ${kernel} ×${scale}: some means are of ${fewest} of ${photos} photos, since others failed`]
      : [];
  });
}
