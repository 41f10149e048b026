/** Pictures that shall outlast their server: once loaded, and never changing, they come from the browser's own memory. */
import type { PreviewImage } from "@mzsr/shared";

/** Beyond this a server that hangs is not waited for. */
const PATIENCE_MS = 10_000;

/** All files of all pictures, those of the newest entries first. */
export function filesOf(images: readonly PreviewImage[]): string[] {
  const entries = images.flatMap((image) => image.entries).sort((a, b) => b.step - a.step);
  return [...new Set(entries.flatMap(({ files }) => Object.values(files)))];
}

/** The pictures of which every file can be shown: entries that lack one are left out. */
export function showable(images: readonly PreviewImage[], kept: ReadonlySet<string> | undefined): PreviewImage[] {
  if (kept === undefined) return [...images];
  return images
    .map((image) => ({
      ...image,
      entries: image.entries.filter(({ files }) => Object.values(files).every((file) => kept.has(file))),
    }))
    .filter(({ entries }) => entries.length > 0);
}

/** Held for good, so that the browser keeps them. */
const held: HTMLImageElement[] = [];

/** Loads pictures. Returns the files that came. */
export async function loadPictures(
  files: readonly string[],
  addressOf: (file: string) => string,
): Promise<Set<string>> {
  const loaded = new Set<string>();
  const all = files.map(async (file) => {
    if (await load(addressOf(file))) loaded.add(file);
  });
  await Promise.race([Promise.all(all), new Promise((resolve) => setTimeout(resolve, PATIENCE_MS))]);
  return new Set(loaded);
}

function load(address: string): Promise<boolean> {
  const image = new Image();
  held.push(image);
  return new Promise((resolve) => {
    image.onload = () => resolve(true);
    image.onerror = () => resolve(false);
    image.src = address;
  });
}
