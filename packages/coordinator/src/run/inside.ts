/** Files of a folder that may have come from elsewhere: a symbolic link in it is not followed out of it. */
import { realpath, stat } from "node:fs/promises";
import { join, sep } from "node:path";

/**
 * The file behind all links, if it is a file and lies in `folder`; undefined when it is not there or lies elsewhere.
 * `folder` itself may be reached through a link.
 */
export async function fileInside(folder: string, relative: string): Promise<string | undefined> {
  try {
    const [root, file] = await Promise.all([realpath(folder), realpath(join(folder, relative))]);
    return file.startsWith(root + sep) && (await stat(file)).isFile() ? file : undefined;
  } catch {
    return undefined;
  }
}
