/**
 * One coordinator per run folder. The lock is a file that names its holder; a holder that is dead, or silent on another
 * machine, loses it to whoever asks next.
 */
import { randomUUID } from "node:crypto";
import { readFileSync, rmSync } from "node:fs";
import { link, readFile, rename, rm, stat, utimes, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { InputError, messageOf, RunError } from "@mzsr/mzsr";

/** How often a holder shows that it is alive. */
const TOUCH_MS = 10_000;
/** A holder on another machine is gone when it has shown nothing for so long. */
const SILENT_MS = 60_000;

interface Holder {
  readonly id: string;
  readonly pid: number;
  readonly host: string;
  /** When the process started, in the kernel's own count: pids come again, in containers even at once. */
  readonly born: string;
}

export class RunLock {
  readonly #path: string;
  readonly #holder: Holder;
  readonly #onLost: (reason: string) => void;
  readonly #timer: NodeJS.Timeout;

  private constructor(path: string, holder: Holder, onLost: (reason: string) => void) {
    this.#path = path;
    this.#holder = holder;
    this.#onLost = onLost;
    this.#timer = setInterval(() => void this.confirm().catch(() => undefined), TOUCH_MS);
    this.#timer.unref();
    process.on("exit", this.#releaseAtExit);
  }

  /**
   * Locks a run folder.
   * @param onLost told when somebody else took the lock, which happens only to a holder that was paused for long
   * @param expected what would be right where another coordinator works on the run
   * @throws InputError when one does
   */
  static async acquire(
    folder: string,
    onLost: (reason: string) => void,
    expected = "another --run, or that coordinator stopped first",
  ): Promise<RunLock> {
    const path = join(folder, "lock");
    const holder = { id: randomUUID(), pid: process.pid, host: hostname(), born: await birthOf("self") };
    while (!(await place(path, holder))) {
      const other = await readHolder(path);
      if (other === undefined) continue;
      const reason = await reasonAlive(path, other);
      if (reason !== undefined) {
        throw new InputError(`another coordinator works on this run (${reason})`, {
          where: folder,
          expected,
        });
      }
      await discard(path, other);
    }
    return new RunLock(path, holder, onLost);
  }

  /** Whether the lock is still this holder's. */
  async held(): Promise<boolean> {
    return (await readHolder(this.#path))?.id === this.#holder.id;
  }

  async release(): Promise<void> {
    clearInterval(this.#timer);
    process.off("exit", this.#releaseAtExit);
    if (await this.held()) await rm(this.#path, { force: true });
  }

  /**
   * Shows that the holder is alive.
   * @throws RunError, after telling the listener, when the lock is not its own any more
   */
  async confirm(): Promise<void> {
    try {
      if (await this.held()) {
        const now = new Date();
        return await utimes(this.#path, now, now);
      }
    } catch (thrown) {
      throw this.#lost(`the lock of the run folder cannot be kept (${messageOf(thrown)})`);
    }
    throw this.#lost("another coordinator took the lock of the run folder");
  }

  /** However the process ends by itself: in the middle of its start, by an error, stopped at once. */
  readonly #releaseAtExit = (): void => {
    try {
      const holder = JSON.parse(readFileSync(this.#path, "utf8")) as Holder;
      if (holder.id === this.#holder.id) rmSync(this.#path, { force: true });
    } catch {
      // It is gone, or cannot be read: whoever asks next finds its holder dead.
    }
  };

  #lost(reason: string): RunError {
    clearInterval(this.#timer);
    process.off("exit", this.#releaseAtExit);
    this.#onLost(reason);
    return new RunError(reason);
  }
}

/** Puts the lock there whole, or not at all when there is one. */
async function place(path: string, holder: Holder): Promise<boolean> {
  const temporary = `${path}.${holder.id}`;
  try {
    await writeFile(temporary, JSON.stringify(holder));
    await link(temporary, path);
    return true;
  } catch (thrown) {
    if (codeOf(thrown) === "EEXIST") return false;
    throw new InputError(`the run folder cannot be locked (${messageOf(thrown)})`, {
      where: path,
      expected: "a folder that is writable",
    });
  } finally {
    await rm(temporary, { force: true });
  }
}

async function readHolder(path: string): Promise<Holder | undefined> {
  try {
    return JSON.parse(await readFile(path, "utf8")) as Holder;
  } catch (thrown) {
    if (codeOf(thrown) === "ENOENT") return undefined;
    throw new InputError(`cannot be read (${messageOf(thrown)})`, {
      where: path,
      expected: "a lock; delete the file when no coordinator works on the run",
    });
  }
}

/** Why a holder counts as alive; undefined when it is dead. */
async function reasonAlive(path: string, holder: Holder): Promise<string | undefined> {
  const who = `process ${holder.pid} on ${holder.host}`;
  if (holder.host !== hostname()) {
    const shown = await stat(path).catch(() => undefined);
    const silentMs = Date.now() - (shown?.mtimeMs ?? 0);
    return silentMs < SILENT_MS ? `${who}, heard of ${Math.round(silentMs / 1000)} s ago` : undefined;
  }
  return (await birthOf(holder.pid)) === holder.born && runs(holder.pid) ? who : undefined;
}

/** Takes a dead holder's lock away; one that changed hands meanwhile goes back. */
async function discard(path: string, dead: Holder): Promise<void> {
  const aside = `${path}.dead.${randomUUID()}`;
  if ((await readHolder(path))?.id !== dead.id) return;
  try {
    await rename(path, aside);
    const taken = await readHolder(aside);
    if (taken !== undefined && taken.id !== dead.id) await link(aside, path);
  } catch (thrown) {
    if (codeOf(thrown) !== "ENOENT" && codeOf(thrown) !== "EEXIST") throw thrown;
  } finally {
    await rm(aside, { force: true });
  }
}

function runs(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (thrown) {
    return codeOf(thrown) === "EPERM";
  }
}

/** Field 22 of /proc/<pid>/stat; empty where there is no /proc or no such process. */
async function birthOf(pid: number | "self"): Promise<string> {
  const text = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
  return text.slice(text.lastIndexOf(")") + 2).split(" ")[19] ?? "";
}

function codeOf(thrown: unknown): string | undefined {
  return (thrown as NodeJS.ErrnoException).code;
}
