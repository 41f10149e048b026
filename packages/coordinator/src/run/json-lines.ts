/**
 * A file of JSON lines that survives what happens to disks: a line is whole or absent, and lines that found no room
 * wait in memory until there is some.
 */
import { type FileHandle, open } from "node:fs/promises";
import { messageOf, RunError } from "@mzsr/mzsr";

/** Lines that wait at most; a run that cannot write for so long has lost its disk. */
const MOST_WAITING = 100_000;

/** Told when writing starts to fail (with the reason) and when it works again (undefined). */
export type DiskListener = (problem: string | undefined) => void;

export class JsonLines {
  readonly #path: string;
  readonly #file: FileHandle;
  readonly #listener: DiskListener;
  /** Bytes that are whole lines. */
  #size: number;
  #waiting: string[] = [];
  #writing: Promise<void> | undefined;
  #problem: string | undefined;

  private constructor(path: string, file: FileHandle, size: number, listener: DiskListener) {
    this.#path = path;
    this.#file = file;
    this.#size = size;
    this.#listener = listener;
  }

  /** Opens a file to append to, cut down to its first `size` bytes. */
  static async open(path: string, size: number, listener: DiskListener): Promise<JsonLines> {
    const file = await open(path, "a+").then(async (made) => {
      await made.close();
      return open(path, "r+");
    });
    await file.truncate(size);
    return new JsonLines(path, file, size, listener);
  }

  /** Writes a line soon. Never throws: a full disk is told to the listener, and the line waits. */
  append(value: unknown): void {
    if (this.#waiting.length < MOST_WAITING) this.#waiting.push(`${JSON.stringify(value)}\n`);
    this.#writing ??= this.#write().finally(() => {
      this.#writing = undefined;
    });
  }

  /**
   * Resolves when every line stands on the disk, also after a power cut.
   * @throws RunError when that is not possible now
   */
  async sync(): Promise<void> {
    await this.#writing;
    if (this.#waiting.length > 0) await this.#write();
    if (this.#waiting.length > 0) throw new RunError(`${this.#path}: ${this.#problem}`);
    try {
      await this.#file.datasync();
    } catch (thrown) {
      throw new RunError(`${this.#path}: ${messageOf(thrown)}`);
    }
  }

  /** @throws RunError when lines are left that cannot be written; the file is closed all the same */
  async close(): Promise<void> {
    try {
      await this.sync();
    } finally {
      await this.#file.close();
    }
  }

  async #write(): Promise<void> {
    // Leaves the caller first, so that the lines of one moment go out together.
    await Promise.resolve();
    while (this.#waiting.length > 0) {
      const count = this.#waiting.length;
      const bytes = Buffer.from(this.#waiting.join(""));
      try {
        await writeAll(this.#file, bytes, this.#size);
      } catch (thrown) {
        await this.#file.truncate(this.#size).catch(() => undefined);
        return this.#report(messageOf(thrown));
      }
      this.#size += bytes.length;
      this.#waiting = this.#waiting.slice(count);
      this.#report(undefined);
    }
  }

  #report(problem: string | undefined): void {
    const news = (problem === undefined) !== (this.#problem === undefined);
    this.#problem = problem;
    if (news) this.#listener(problem);
  }
}

async function writeAll(file: FileHandle, bytes: Buffer, position: number): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const { bytesWritten } = await file.write(bytes, done, bytes.length - done, position + done);
    done += bytesWritten;
  }
}
