import { join } from "node:path";
import { removeRun } from "@mzsr/coordinator";
import { InputError } from "@mzsr/mzsr";
import { exists } from "../path-kind.js";
import type { Terminal } from "../progress/terminal.js";
import { changedAbout, readAbout, writeAbout } from "./about-run.js";
import type { RunsOptions } from "./list-runs.js";

/** Whether a run is to be changed, and not runs to be listed. */
export function changesRun({ note, tag, untag, remove }: RunsOptions): boolean {
  return note !== undefined || tag !== undefined || untag !== undefined || remove === true;
}

/** `mzsr runs RUN` with something to do. @throws InputError for a folder that is not a run's, or may not be deleted */
export async function changeRun(folder: string, options: RunsOptions, terminal: Terminal): Promise<void> {
  const { note, tag: add = [], untag = [], remove: removed } = options;
  if (options.search !== undefined) {
    throw new InputError("--search lists runs, and the other options change one", { expected: "one or the other" });
  }
  if (removed === true) {
    if (note !== undefined || add.length + untag.length > 0) {
      throw new InputError("--remove leaves nothing to write a note of", { expected: "--remove alone" });
    }
    await removeRun(folder);
    return terminal.note(`${folder}: removed`);
  }
  if (!(await exists(join(folder, "config.yaml")))) {
    throw new InputError("is not a run", {
      where: folder,
      expected: "the folder of a run; `npx mzsr runs` lists them",
    });
  }
  const about = changedAbout(await readAbout(folder), { note, add, remove: untag });
  await writeAbout(folder, about);
  if (options.json === true) terminal.json(about);
  else terminal.line([folder, ...about.tags.map((each) => `#${each}`), about.note].filter(Boolean).join("  "));
}
