import { readFile, stat } from "node:fs/promises";
import { InputError, messageOf } from "../errors.js";

/**
 * The bytes of a file that a user named.
 * @param expected what kind of file it should be, for errors
 * @throws InputError when it is missing, a folder, unreadable, empty or larger than `largestBytes`
 */
export async function readInputFile(path: string, expected: string, largestBytes: number): Promise<Buffer> {
  const found = await stat(path).catch((error: unknown) => {
    throw new InputError(reasonOf(error), { where: path, expected });
  });
  if (!found.isFile())
    throw new InputError(found.isDirectory() ? "is a folder" : "is not a file", { where: path, expected });
  if (found.size === 0) throw new InputError("file is empty", { where: path, expected });
  if (found.size > largestBytes) {
    throw new InputError(`file has ${found.size} bytes`, {
      where: path,
      expected: `${expected}, at most ${largestBytes} bytes`,
    });
  }
  return readFile(path).catch((error: unknown) => {
    throw new InputError(reasonOf(error), { where: path, expected });
  });
}

/** A failed file operation in words. */
export function reasonOf(error: unknown): string {
  switch ((error as NodeJS.ErrnoException | undefined)?.code) {
    case "ENOENT":
      return "no such file or folder";
    case "ENOTDIR":
      return "not a folder";
    case "EACCES":
    case "EPERM":
      return "no permission";
    default:
      return messageOf(error);
  }
}
