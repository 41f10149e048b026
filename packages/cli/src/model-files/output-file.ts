/** Files whose name the user gives: checked before any work, and never in place of one that is not to be replaced. */
import type { BigIntStats } from "node:fs";
import { lstat, stat } from "node:fs/promises";
import { basename, dirname, extname } from "node:path";
import { InputError, probeWriting, RunError, reasonOf, writeFileAtomically } from "@mzsr/mzsr";

export interface OutputOptions {
  /** Those that the result can have, with their dots. */
  readonly extensions: readonly string[];
  /** Whether a file of that name is replaced. */
  readonly force: boolean;
  /** What the command reads: none of these is ever replaced, by whatever name. Those that do not exist are passed over. */
  readonly inputs: readonly string[];
  /** How the place is named in errors; default: after `-o`. */
  readonly where?: string;
}

/** A place that was checked. */
export interface OutputFile {
  readonly path: string;
  /** Lower case, with its dot. */
  readonly extension: string;
  /**
   * Writes the file whole or not at all.
   * @throws RunError when that fails, or when a file that is not to be replaced has come there meanwhile
   */
  write(bytes: Uint8Array): Promise<void>;
}

/**
 * Checks before any work that a result can be written where the user wants it.
 * @throws InputError
 */
export async function checkOutputFile(path: string, options: OutputOptions): Promise<OutputFile> {
  const { where = `-o ${path}` } = options;
  const extension = extname(path).toLowerCase();
  if (!options.extensions.includes(extension)) {
    throw new InputError(`cannot write ${extension === "" ? "a file without extension" : extension}`, {
      where,
      expected: `a name that ends with ${options.extensions.join(" or ")}`,
    });
  }
  await checkFolder(path, where);
  await checkName(path, where, options);
  await probeWriting(path).catch((thrown: unknown) => {
    const expected = "a name in a writable folder";
    throw new InputError(`cannot be written (${reasonOf(thrown)})`, { where, expected });
  });
  return { path, extension, write: (bytes) => writeOutputFile(path, bytes, options.force) };
}

async function checkFolder(path: string, where: string): Promise<void> {
  const folder = dirname(path);
  const found = await stat(folder).catch((thrown: unknown) => {
    const expected = "a name in a writable folder";
    throw new InputError(`cannot be written (${reasonOf(thrown)}: ${folder})`, { where, expected });
  });
  if (!found.isDirectory()) {
    throw new InputError(`${folder} is not a folder`, { where, expected: "a name in a writable folder" });
  }
}

/** What bears the name already, if anything, may be replaced. */
async function checkName(path: string, where: string, { force, inputs }: OutputOptions): Promise<void> {
  const there = await lstat(path).catch((thrown: NodeJS.ErrnoException) => {
    if (thrown.code === "ENOENT") return undefined;
    const bytes = Buffer.byteLength(basename(path));
    throw new InputError(`cannot be written: ${reasonOf(thrown)} (${bytes} bytes)`, {
      where,
      expected: "a name of at most 255 bytes, on most file systems, and a shorter path",
    });
  });
  if (there === undefined) return;
  const behind = await stat(path, { bigint: true }).catch(() => undefined);
  if (behind?.isDirectory() === true) throw new InputError("is a folder", { where, expected: "a file name" });
  if (behind !== undefined) await checkNoInput(behind, where, inputs);
  if (behind !== undefined && !behind.isFile())
    throw new InputError("is not a file", { where, expected: "a file name" });
  if (!force) {
    throw new InputError("exists already", { where, expected: "another name, or --force to replace the file" });
  }
}

/** By device and inode: links, hard links and other spellings of a name lead to the same file. */
async function checkNoInput(output: BigIntStats, where: string, inputs: readonly string[]): Promise<void> {
  for (const input of inputs) {
    const found = await stat(input, { bigint: true }).catch(() => undefined);
    if (found === undefined || found.dev !== output.dev || found.ino !== output.ino) continue;
    throw new InputError(`is the same file as the input ${input}`, {
      where,
      expected: "another name; an input is never replaced",
    });
  }
}

/** `OutputFile.write` of a place that was checked. @throws RunError */
export async function writeOutputFile(path: string, bytes: Uint8Array, force: boolean): Promise<void> {
  try {
    await writeFileAtomically(path, bytes, { replace: force });
  } catch (thrown) {
    const reason =
      (thrown as NodeJS.ErrnoException).code === "EEXIST"
        ? "a file of that name has come there meanwhile; it was kept, the result was not written"
        : `cannot be written (${reasonOf(thrown)})`;
    throw new RunError(`-o ${path}: ${reason}`, { cause: thrown });
  }
}
