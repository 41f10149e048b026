/** A file that TensorBoard finds and reads while it grows. */
import { type FileHandle, mkdir, open, readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";

/** TensorBoard takes every file with `tfevents` in its name, in the order of the names. */
const NAME = /^events\.out\.tfevents\.(\d{10})\.(\d{3})\.mzsr$/;

export class EventFile {
  /** Nothing was written in the folder before; a file that a killed coordinator left empty does not count. */
  readonly isFirst: boolean;
  readonly #path: string;
  readonly #file: FileHandle;
  /** Bytes that are whole records. */
  #size = 0;

  private constructor(path: string, file: FileHandle, isFirst: boolean) {
    this.#path = path;
    this.#file = file;
    this.isFirst = isFirst;
  }

  /** Makes a file that comes after those in the folder, also when the clock was set back. */
  static async create(folder: string, nowMs: number): Promise<EventFile> {
    await mkdir(folder, { recursive: true });
    const before = (await readdir(folder)).flatMap((name) => beganMs(name) ?? []);
    const sizes = await Promise.all(before.map(async (ms) => (await stat(join(folder, nameOf(ms)))).size));
    const began = Math.max(Math.floor(nowMs), ...before.map((ms) => ms + 1));
    const path = join(folder, nameOf(began));
    const isFirst = sizes.every((bytes) => bytes === 0);
    return new EventFile(path, await open(path, "wx"), isFirst);
  }

  /** Adds whole records. What does not fit wholly is taken away again. */
  async append(records: Uint8Array): Promise<void> {
    try {
      for (let done = 0; done < records.length; ) {
        const { bytesWritten } = await this.#file.write(records, done, records.length - done, this.#size + done);
        done += bytesWritten;
      }
    } catch (thrown) {
      await this.#file.truncate(this.#size).catch(() => undefined);
      throw thrown;
    }
    this.#size += records.length;
  }

  close(): Promise<void> {
    return this.#file.close();
  }

  /** Takes the file away: it shall be as if it had never been begun. */
  async discard(): Promise<void> {
    await rm(this.#path, { force: true });
    await this.close();
  }
}

function nameOf(ms: number): string {
  const digits = String(ms).padStart(13, "0");
  return `events.out.tfevents.${digits.slice(0, -3)}.${digits.slice(-3)}.mzsr`;
}

/** When a file of ours was begun, milliseconds since 1970. */
function beganMs(name: string): number | undefined {
  const match = NAME.exec(name);
  return match === null ? undefined : Number(`${match[1]}${match[2]}`);
}
