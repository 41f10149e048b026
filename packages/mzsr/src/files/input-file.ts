import { lstat, readFile, stat } from "node:fs/promises";
import { InputError, messageOf } from "../errors.js";

/**
 * The bytes of a file that a user named.
 * @param expected what kind of file it should be, for errors
 * @throws InputError when it is missing, a folder, unreadable, empty or larger than `largestBytes`
 */
export async function readInputFile(path: string, expected: string, largestBytes: number): Promise<Buffer> {
  await checkInputFile(path, expected, largestBytes);
  return readFile(path).catch((error: unknown) => {
    throw new InputError(reasonOf(error), { where: path, expected });
  });
}

/** The checks of `readInputFile` without reading. @throws InputError */
export async function checkInputFile(path: string, expected: string, largestBytes: number): Promise<void> {
  const found = await stat(path).catch(async (error: unknown) => {
    throw new InputError(await reasonWithLink(path, error), { where: path, expected });
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
}

/** A name that is there and leads nowhere is told from one that is not there. */
async function reasonWithLink(path: string, error: unknown): Promise<string> {
  const isLink = await lstat(path).then(
    (found) => found.isSymbolicLink(),
    () => false,
  );
  return isLink && codeOf(error) === "ENOENT" ? "is a link to a file that is not there" : reasonOf(error);
}

function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException | undefined)?.code;
}

/** A failed file operation in words. */
export function reasonOf(error: unknown): string {
  switch (codeOf(error)) {
    case "ENOENT":
      return "no such file or folder";
    case "ENOTDIR":
      return "not a folder";
    case "EISDIR":
      return "is a folder";
    case "EACCES":
    case "EPERM":
      return "no permission";
    case "ENAMETOOLONG":
      return "the name is too long";
    case "ELOOP":
      return "is a link that leads back to itself";
    default:
      return messageOf(error);
  }
}
