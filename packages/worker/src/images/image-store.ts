/** Decoded images of a run, up to a budget: the least recently used ones make room. */

import { countPixels, LARGEST_PIXELS, RunError, readImageBytes } from "@mzsr/mzsr";
import { ConcurrencyBudget, type DatasetImage } from "@mzsr/shared";
import { type CompactImage, compactImage } from "./compact-image.js";
import type { ImageFiles } from "./image-files.js";

interface Entry {
  readonly image: Promise<CompactImage>;
  /** 0 until decoded. */
  bytes: number;
}

export class ImageStore {
  readonly #files: ImageFiles;
  readonly #budgetBytes: number;
  /** A task may name many images; a decoded one takes four times the memory of a kept one. */
  readonly #decoding = new ConcurrencyBudget(LARGEST_PIXELS);
  /** By content hash; the most recently used last. */
  readonly #entries = new Map<string, Entry>();
  #bytes = 0;

  /** @param budgetBytes decoded bytes that stay; what running tasks hold comes on top */
  constructor(files: ImageFiles, budgetBytes: number) {
    this.#files = files;
    this.#budgetBytes = budgetBytes;
  }

  /** Bytes of the decoded images that are kept. */
  get bytes(): number {
    return this.#bytes;
  }

  /**
   * The images with these indices into the run's list, each read and decoded at most once while it is kept.
   * @throws RunError for an index that the run has not; what reading and decoding throw
   */
  async images(list: readonly DatasetImage[], indices: Iterable<number>): Promise<Map<number, CompactImage>> {
    const found = new Map<number, CompactImage>();
    const wanted = [...new Set(indices)];
    await Promise.all(
      wanted.map(async (index) => {
        const image = list[index];
        if (image === undefined) throw new RunError(`task names image ${index}, but the run has ${list.length}`);
        found.set(index, await this.#image(image));
      }),
    );
    return found;
  }

  #image(image: DatasetImage): Promise<CompactImage> {
    const kept = this.#entries.get(image.sha256);
    if (kept !== undefined) {
      this.#entries.delete(image.sha256);
      this.#entries.set(image.sha256, kept);
      return kept.image;
    }
    const entry: Entry = { image: this.#decode(image), bytes: 0 };
    this.#entries.set(image.sha256, entry);
    void entry.image.then(
      (decoded) => this.#account(entry, decoded.data.byteLength),
      () => this.#entries.delete(image.sha256),
    );
    return entry.image;
  }

  async #decode(image: DatasetImage): Promise<CompactImage> {
    const content = await this.#files.content(image);
    const pixels = await countPixels(content, image.name);
    return this.#decoding.run(pixels, async () => compactImage(await readImageBytes(content, image.name)));
  }

  #account(entry: Entry, bytes: number): void {
    entry.bytes = bytes;
    this.#bytes += bytes;
    for (const [hash, oldest] of this.#entries) {
      if (this.#bytes <= this.#budgetBytes) return;
      if (oldest === entry || oldest.bytes === 0) continue;
      this.#entries.delete(hash);
      this.#bytes -= oldest.bytes;
    }
  }
}
