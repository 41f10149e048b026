/** `--model`: a model file, or the folder of a run that has one. */
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { InputError } from "@mzsr/mzsr";
import { exists, isFolder } from "../path-kind.js";

const EXPECTED = "a model file, or the folder of a finished run";

/**
 * The file that a user means.
 * @param typed a file, which need not exist, or a folder
 * @throws InputError, which names what was typed, for a folder without a model
 */
export async function modelFile(typed: string): Promise<string> {
  if (!(await isFolder(typed))) return typed;
  // Only here: a model file needs nothing of a coordinator.
  const { runPaths } = await import("@mzsr/coordinator");
  const { configuration, model, metrics, checkpoints } = runPaths(typed);
  if (await exists(model)) return model;
  if (!(await exists(configuration)) || !(await exists(metrics))) {
    throw new InputError("is a folder without model.safetensors", { where: typed, expected: EXPECTED });
  }
  const names = (await readdir(checkpoints).catch((): string[] => [])).filter((name) =>
    /^step-\d+\.safetensors$/.test(name),
  );
  const step = Math.max(0, ...names.map((name) => Number.parseInt(name.slice("step-".length), 10)));
  throw new InputError(
    `this run has not finished and has no model yet (${step === 0 ? "no checkpoint" : `its newest checkpoint is of step ${step}`})`,
    {
      where: typed,
      expected: `${EXPECTED}; npx mzsr up --run ${join(typed)} --resume goes on with it, and with --steps for what is done ends it there`,
    },
  );
}
