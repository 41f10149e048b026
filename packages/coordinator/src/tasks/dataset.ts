/** A run's photographs: which files, with what content, and where their patches lie. Pixels are not kept. */
import { basename } from "node:path";
import {
  type BadImage,
  badImage,
  badImagesError,
  countPixels,
  GradientEnergy,
  InputError,
  LARGEST_IMAGE_FILE_BYTES,
  LARGEST_PIXELS,
  patchGrid,
  readImageBytes,
  readInputFile,
} from "@mzsr/mzsr";
import { ConcurrencyBudget, type Configuration, sha256Of } from "@mzsr/shared";
import { PATCH_SETS, type PatchIndex, PatchPositions, type PatchSet, patchSides } from "./patch-positions.js";

/** Images read and decoded at the same time: enough to keep the decoder's threads busy, few enough for the memory. */
const CONCURRENT_READS = 4;

/** Of images that are decoded and looked through at the same time: one of the largest, or several smaller ones. */
const CONCURRENT_PIXELS = LARGEST_PIXELS;

export interface DatasetFile {
  /** SHA-256 of the file, lower-case hex. */
  readonly sha256: string;
  /** File name without folders. */
  readonly name: string;
  readonly path: string;
  readonly bytes: number;
  readonly height: number;
  readonly width: number;
}

export interface Dataset {
  /** Sorted by name, then content; tasks name images by their place here. */
  readonly images: readonly DatasetFile[];
  readonly positions: PatchIndex;
  /** What a user should know: images left out, and why. */
  readonly notes: readonly string[];
}

type DatasetConfiguration = Pick<Configuration, "patches" | "pretraining" | "metaTraining" | "degradation"> &
  Partial<Pick<Configuration, "skipBadImages">>;

interface ReadFile extends DatasetFile {
  readonly corners: Readonly<Record<PatchSet, readonly { y: number; x: number }[]>>;
  readonly notes: readonly string[];
}

/**
 * Reads every image once, hashes it, and finds its patches for both stages. The result depends on names and contents
 * alone, not on the order of `paths` or the folders they lie in. With `skipBadImages` those that cannot be read are no
 * part of it, as if they were not there.
 *
 * @throws InputError that lists all images that cannot be read, and when a stage that has steps is left without any patch
 */
export async function loadDataset(paths: readonly string[], configuration: DatasetConfiguration): Promise<Dataset> {
  if (paths.length === 0) throw new InputError("no training images", { where: "data", expected: "at least one image" });
  const { read, bad } = await readAll(paths, configuration);
  if (bad.length > 0 && (configuration.skipBadImages !== true || read.length === 0)) {
    throw badImagesError(bad, paths.length, "data");
  }
  const notes = [
    ...bad.map(({ path, reason }) => `${basename(path)} was left out: ${reason}`),
    ...read.flatMap((file) => file.notes),
  ];
  const files = withoutDuplicates(read, notes);
  const positions = forEverySet(() => new PatchPositions());
  for (const { corners } of files) for (const set of PATCH_SETS) positions[set].add(corners[set]);
  requirePatches(positions, configuration, files.length);
  return { images: files.map(({ corners: _, notes: __, ...file }) => file), positions, notes };
}

/** Reads all images, those that cannot be read aside, each by name, then content. */
async function readAll(paths: readonly string[], configuration: DatasetConfiguration) {
  const bad: BadImage[] = [];
  const decoding = new ConcurrencyBudget(CONCURRENT_PIXELS);
  const images = await mapConcurrently(paths, CONCURRENT_READS, (path) =>
    readTrainingImage(path, configuration, decoding).catch((thrown: unknown) => {
      bad.push(badImage(path, thrown));
      return undefined;
    }),
  );
  bad.sort((a, b) => compare(a.path, b.path));
  const read = images.filter((image) => image !== undefined);
  read.sort((a, b) => compare(a.name, b.name) || compare(a.sha256, b.sha256));
  return { read, bad };
}

async function readTrainingImage(
  path: string,
  configuration: DatasetConfiguration,
  decoding: ConcurrencyBudget,
): Promise<ReadFile> {
  const content = await readInputFile(path, "an image file", LARGEST_IMAGE_FILE_BYTES);
  return decoding.run(await countPixels(content, path), () => examined(path, content, configuration));
}

async function examined(path: string, content: Buffer, configuration: DatasetConfiguration): Promise<ReadFile> {
  const name = basename(path);
  const image = await readImageBytes(content, path);
  const energy = new GradientEnergy(image);
  const sides = patchSides(configuration);
  return {
    sha256: sha256Of(content),
    name,
    path,
    bytes: content.byteLength,
    height: image.height,
    width: image.width,
    corners: forEverySet((set) => patchGrid(energy, { ...configuration.patches, patchSize: sides[set] })),
    notes: image.notes.map((note) => `${name}: ${note}`),
  };
}

function withoutDuplicates(sorted: readonly ReadFile[], notes: string[]): ReadFile[] {
  const kept = new Map<string, ReadFile>();
  for (const file of sorted) {
    const twin = kept.get(file.sha256);
    if (twin === undefined) kept.set(file.sha256, file);
    else notes.push(`${file.name} is the same file as ${twin.name} and was left out`);
  }
  return [...kept.values()];
}

function forEverySet<T>(make: (set: PatchSet) => T): Record<PatchSet, T> {
  return { pretraining: make("pretraining"), support: make("support"), query: make("query") };
}

function requirePatches(positions: PatchIndex, configuration: DatasetConfiguration, images: number): void {
  for (const set of PATCH_SETS) {
    const stage = set === "pretraining" ? "pretraining" : "metaTraining";
    if (configuration[stage].steps === 0 || positions[set].count > 0) continue;
    const side = patchSides(configuration)[set];
    throw new InputError(`none of the ${images} images has a patch of ${side}×${side} pixels with structure`, {
      where: `${stage}.patchSize`,
      expected: "smaller patches, larger or more detailed images, or a lower patches.minLogGradientEnergy",
    });
  }
}

/** By code units: the same order whatever the machine's language. */
function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

async function mapConcurrently<T, R>(items: readonly T[], limit: number, work: (item: T) => Promise<R>): Promise<R[]> {
  const results = new Array<R>(items.length);
  const rest = items.entries();
  const lane = async () => {
    for (const [i, item] of rest) results[i] = await work(item);
  };
  await Promise.all(Array.from({ length: limit }, lane));
  return results;
}
