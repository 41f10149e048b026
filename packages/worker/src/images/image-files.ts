/** Where a worker finds image files: in folders it was told of, else in its cache, else at the coordinator. */
import { randomUUID } from "node:crypto";
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { messageOf, RunError } from "@mzsr/mzsr";
import { type DatasetImage, sha256Of } from "@mzsr/shared";
import type { Logger } from "pino";

/** Gets a file's content from the coordinator; ends with an error when there are more than `image.bytes` of it. */
export type FetchImage = (image: DatasetImage) => Promise<Buffer>;

export interface ImageFilesOptions {
  /** Folder of the cache; made when needed. */
  readonly cacheDir: string;
  /** Folders searched before anything is fetched; files count by content, whatever their names. */
  readonly localImages: readonly string[];
  readonly fetch: FetchImage;
  readonly logger: Logger;
}

export class ImageFiles {
  readonly #options: ImageFilesOptions;
  /** Files of the local folders by size: only those of the right size are ever hashed. */
  #localBySize: Promise<Map<number, string[]>> | undefined;

  constructor(options: ImageFilesOptions) {
    this.#options = options;
  }

  /**
   * The content of an image file, whose SHA-256 is checked wherever it comes from.
   * @throws RunError when the coordinator sends something else
   */
  async content(image: DatasetImage): Promise<Buffer> {
    return (await this.#fromLocalFolders(image)) ?? (await this.#fromCache(image)) ?? (await this.#fetched(image));
  }

  async #fromLocalFolders(image: DatasetImage): Promise<Buffer | undefined> {
    if (this.#options.localImages.length === 0) return undefined;
    this.#localBySize ??= this.#listLocalFolders();
    for (const path of (await this.#localBySize).get(image.bytes) ?? []) {
      const content = await readFile(path).catch(() => undefined);
      if (content !== undefined && sha256Of(content) === image.sha256) return content;
    }
    return undefined;
  }

  async #fromCache(image: DatasetImage): Promise<Buffer | undefined> {
    const path = this.#cachePath(image);
    const content = await readFile(path).catch(() => undefined);
    if (content === undefined || sha256Of(content) === image.sha256) return content;
    this.#options.logger.warn({ path }, "cached image is damaged; fetching it again");
    await rm(path, { force: true }).catch(() => undefined);
    return undefined;
  }

  async #fetched(image: DatasetImage): Promise<Buffer> {
    const content = await this.#options.fetch(image);
    const found = sha256Of(content);
    if (found !== image.sha256) {
      const expected = `${image.bytes} bytes with SHA-256 ${image.sha256}`;
      throw new RunError(
        `image ${image.name} from the coordinator is ${content.byteLength} bytes with SHA-256 ${found}; expected ${expected}`,
      );
    }
    await this.#store(this.#cachePath(image), content);
    return content;
  }

  /** Whole or not at all: another worker of this machine may read the same folder. A full disk costs only the cache. */
  async #store(path: string, content: Buffer): Promise<void> {
    const temporary = `${path}.${randomUUID()}.tmp`;
    try {
      await mkdir(dirname(path), { recursive: true });
      await writeFile(temporary, content);
      await rename(temporary, path);
    } catch (error) {
      this.#options.logger.warn({ path, reason: messageOf(error) }, "image could not be cached; going on without");
      await rm(temporary, { force: true }).catch(() => undefined);
    }
  }

  async #listLocalFolders(): Promise<Map<number, string[]>> {
    const bySize = new Map<number, string[]>();
    for (const folder of this.#options.localImages) {
      for (const path of await filesOf(folder, this.#options.logger)) {
        const { size } = await stat(path);
        bySize.set(size, [...(bySize.get(size) ?? []), path]);
      }
    }
    return bySize;
  }

  #cachePath({ sha256: hash }: DatasetImage): string {
    return join(this.#options.cacheDir, hash.slice(0, 2), hash);
  }
}

async function filesOf(folder: string, logger: Logger): Promise<string[]> {
  try {
    const entries = await readdir(folder, { withFileTypes: true });
    return entries.filter((entry) => entry.isFile()).map((entry) => join(folder, entry.name));
  } catch (error) {
    logger.warn({ folder, reason: messageOf(error) }, "local image folder cannot be read; going on without");
    return [];
  }
}
