/** The end of a run that nobody wants any more. */
import { realpath } from "node:fs/promises";
import { InputError } from "@mzsr/mzsr";
import { foreignEntries, removeContents } from "./run-contents.js";
import { RunLock } from "./run-lock.js";
import { runFolderState } from "./run-marker.js";

const MOST_NAMED = 3;

/**
 * Deletes a run and its folder: what a run writes, by name. The mark goes last, so that what breaks off can be done again.
 * @throws InputError, with nothing deleted, for a folder that is not marked as a run's, that holds something else, or whose
 * run a coordinator works on
 */
export async function removeRun(path: string): Promise<void> {
  if ((await runFolderState(path)) !== "marked") {
    throw new InputError("only runs that are marked as such are deleted, and here is no .mzsr-run", {
      where: path,
      expected: "the folder of a run; one of an older version is marked by --resume",
    });
  }
  const folder = await realpath(path);
  const lock = await RunLock.acquire(folder, () => undefined, "that coordinator stopped first");
  try {
    const foreign = await foreignEntries(folder);
    if (foreign.length > 0) {
      const more = foreign.length > MOST_NAMED ? ` and ${foreign.length - MOST_NAMED} more` : "";
      throw new InputError(`only what a run wrote is deleted, not ${foreign.slice(0, MOST_NAMED).join(", ")}${more}`, {
        where: path,
        expected: "these moved elsewhere first",
      });
    }
    await removeContents(folder);
  } finally {
    await lock.release();
  }
  await removeContents(folder, true);
}
