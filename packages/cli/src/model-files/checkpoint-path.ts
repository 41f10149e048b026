/** Which TensorFlow 1 checkpoint a user means by the path of one of its files, of its folder, or its prefix. */
import { readdir, readFile, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { InputError, reasonOf } from "@mzsr/mzsr";

/** TensorFlow's own list of the checkpoints in a folder; it names the newest. */
const LIST = "checkpoint";
const EXPECTED = "a TensorFlow 1 checkpoint: its prefix, one of its files (.index, .meta, .data-…) or its folder";
const PART = /\.(index|meta|data-\d{5}-of-\d{5})$/;
const MOST_NAMED = 20;

/**
 * @param typed prefix, file or folder
 * @returns the prefix: the path without `.index`
 * @throws InputError, which names what was typed, when there is none, or several and nothing says which
 */
export async function checkpointPrefix(typed: string): Promise<string> {
  // A prefix comes first: a folder may bear the same name.
  for (const prefix of [typed, typed.replace(PART, "")]) {
    if (await isFile(`${prefix}.index`)) return prefix;
  }
  const found = await stat(typed).catch(() => undefined);
  if (found?.isDirectory() === true) return prefixIn(typed, typed);
  if (found !== undefined && basename(typed) === LIST) return prefixIn(dirname(typed), typed);
  throw new InputError(await whatIsMissing(typed, found !== undefined), { where: typed, expected: EXPECTED });
}

async function whatIsMissing(typed: string, exists: boolean): Promise<string> {
  const prefix = basename(typed.replace(PART, ""));
  const beside = await readdir(dirname(typed)).catch((): string[] => []);
  const isPart = exists || beside.some((name) => PART.test(name) && name.replace(PART, "") === prefix);
  return isPart ? `there is no ${prefix}.index beside it` : "no such file, folder or checkpoint";
}

async function prefixIn(folder: string, typed: string): Promise<string> {
  const names = await readdir(folder).catch((thrown: unknown) => {
    throw new InputError(reasonOf(thrown), { where: typed, expected: EXPECTED });
  });
  const prefixes = names
    .filter((name) => name.endsWith(".index"))
    .map((name) => name.slice(0, -".index".length))
    .sort();
  if (prefixes.length === 0) {
    throw new InputError("no checkpoint in this folder", { where: typed, expected: "a folder with *.index" });
  }
  const chosen = prefixes.length === 1 ? prefixes[0] : await newestOf(folder, prefixes);
  if (chosen !== undefined) return join(folder, chosen);
  const named = prefixes.slice(0, MOST_NAMED).join(", ");
  const more = prefixes.length > MOST_NAMED ? `, … (${prefixes.length} in all)` : "";
  throw new InputError("several checkpoints in this folder", { where: typed, expected: `one of ${named}${more}` });
}

/** The one that TensorFlow's list says; its path is of the machine that trained, only its name counts here. */
async function newestOf(folder: string, prefixes: readonly string[]): Promise<string | undefined> {
  const list = await readFile(join(folder, LIST), "utf8").catch(() => "");
  const path = /^model_checkpoint_path: *"((?:[^"\\]|\\.)*)"/m.exec(list)?.[1];
  const name = path?.split(/[/\\]/).at(-1);
  return prefixes.find((prefix) => prefix === name);
}

async function isFile(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isFile(),
    () => false,
  );
}
