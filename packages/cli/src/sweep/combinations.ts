/** Which runs a sweep consists of. */
import { InputError } from "@mzsr/mzsr";

/** A run of a sweep: what it sets, and how its folder is called. */
export interface SweepRun {
  readonly name: string;
  /** key=value each. */
  readonly set: readonly string[];
}

const MOST_RUNS = 200;

/**
 * Every combination of the values, the last key's changing first.
 * @param vary key=a,b,c each
 * @throws InputError for what is not of that form, a key that comes twice, a value that comes twice, or too many runs
 */
export function combinations(vary: readonly string[]): SweepRun[] {
  const axes = vary.map(axisOf);
  const keys = axes.map(({ key }) => key);
  const twice = keys.find((key, i) => keys.indexOf(key) !== i);
  if (twice !== undefined) throw wrong(`${twice} is varied twice`, "each key once, with all its values");
  const runs = axes.reduce<readonly string[][]>(
    (before, { key, values }) => before.flatMap((set) => values.map((value) => [...set, `${key}=${value}`])),
    [[]],
  );
  if (runs.length > MOST_RUNS) throw wrong(`these are ${runs.length} runs`, `at most ${MOST_RUNS}`);
  return runs.map((set) => ({ name: set.map(nameOf).join(","), set }));
}

function axisOf(text: string): { readonly key: string; readonly values: readonly string[] } {
  const [, key, list] = /^([A-Za-z][\w.]*)=(.+)$/.exec(text) ?? [];
  const values = list?.split(",").map((value) => value.trim()) ?? [];
  if (key === undefined || values.includes("")) throw wrong(`${text} is not key=a,b`, "for example seed=1,2");
  if (new Set(values).size < values.length) throw wrong(`${text} has a value twice`, "each value once");
  return { key, values };
}

/** The last part of the key, and of the value what a file's name may have. */
function nameOf(pair: string): string {
  const [key, value] = pair.split("=") as [string, string];
  return `${key.split(".").at(-1)}=${value.replace(/[^\w.+-]/g, "_")}`;
}

function wrong(what: string, expected: string): InputError {
  return new InputError(what, { where: "--vary", expected });
}
