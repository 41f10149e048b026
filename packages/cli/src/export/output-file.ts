import { access, constants, stat } from "node:fs/promises";
import { dirname, extname } from "node:path";
import { InputError } from "@mzsr/shared";

/**
 * Checks before any work that a result can be written where the user wants it.
 * @param extensions those that the result can have, with their dots
 * @returns the extension
 * @throws InputError
 */
export async function checkOutputFile(path: string, extensions: readonly string[]): Promise<string> {
  const where = `-o ${path}`;
  const extension = extname(path).toLowerCase();
  if (!extensions.includes(extension)) {
    throw new InputError(`cannot write ${extension === "" ? "a file without extension" : extension}`, {
      where,
      expected: `a name that ends with ${extensions.join(" or ")}`,
    });
  }
  if (!(await isWritable(dirname(path)))) {
    throw new InputError("cannot be written", { where, expected: "a name in a writable folder" });
  }
  if ((await stat(path).catch(() => undefined))?.isDirectory() === true) {
    throw new InputError("is a folder", { where, expected: "a file name" });
  }
  return extension;
}

async function isWritable(folder: string): Promise<boolean> {
  return access(folder, constants.W_OK).then(
    () => true,
    () => false,
  );
}
