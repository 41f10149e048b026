/** Secrets, addresses and switches for coordinator and worker, from flags and environment. */
import { InputError, LARGEST_SECRET_BYTES, readSmallFile, reasonOf } from "@mzsr/mzsr";
import { canBeToken, type NatsOptions, natsOptions } from "@mzsr/shared";
import type { RunOptions } from "./prepare-run.js";

export interface SecurityOptions {
  readonly nats?: string;
  readonly tokenFile?: string;
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  readonly tlsCa?: string;
  readonly logLevel: string;
}

/** @throws InputError */
export function natsFrom(options: SecurityOptions): NatsOptions | undefined {
  return natsOptions({ servers: options.nats }, process.env);
}

/** The shared secret of a cluster. @throws InputError when the file cannot be read or is empty, or holds no token */
export async function tokenFrom({ tokenFile }: SecurityOptions): Promise<string | undefined> {
  const token = secretFrom("--token-file", tokenFile, process.env.MZSR_TOKEN?.trim());
  if (token === undefined || canBeToken(token)) return token;
  throw new InputError("holds no token", {
    where: tokenFile === undefined ? "MZSR_TOKEN" : `--token-file ${tokenFile}`,
    expected: "one line of at most 1,000 printable ASCII characters",
  });
}

/** The list of the join tokens that were made from the secret: beside its file, unless another is named; none where neither is. */
export function tokenListFrom(options: {
  readonly tokenFile?: string;
  readonly tokenList?: string;
}): string | undefined {
  const { tokenFile, tokenList = tokenFile && `${tokenFile}.list` } = options;
  return tokenList;
}

/** The secret in a file, or else in a variable. @throws InputError when the file cannot be read or is empty */
export function secretFrom(option: string, file: string | undefined, variable: string | undefined): string | undefined {
  if (file === undefined) return variable || undefined;
  const where = `${option} ${file}`;
  let text: string;
  try {
    text = readSmallFile(file, LARGEST_SECRET_BYTES).toString("utf8");
  } catch (thrown) {
    throw new InputError(`cannot be read (${reasonOf(thrown)})`, {
      where,
      expected: "a file with the secret",
    });
  }
  if (text.trim() === "") throw new InputError("is empty", { where, expected: "a file with the secret" });
  return text.trim();
}

/** Whether to write for TensorBoard: the switch, or MZSR_TENSORBOARD. @throws InputError */
export function tensorBoardFrom({ tensorboard }: RunOptions, environment: NodeJS.ProcessEnv = process.env): boolean {
  return switchFrom(tensorboard, "MZSR_TENSORBOARD", environment);
}

/** Whether to stay when the run is finished: the switch, or MZSR_STAY. @throws InputError */
export function stayFrom({ stay }: { readonly stay?: boolean }, environment: NodeJS.ProcessEnv = process.env): boolean {
  return switchFrom(stay, "MZSR_STAY", environment);
}

/** A switch, or a variable in its place, since a Compose file cannot leave an argument out. @throws InputError */
function switchFrom(flag: boolean | undefined, variable: string, environment: NodeJS.ProcessEnv): boolean {
  const text = environment[variable] ?? "";
  const asked = SWITCH.get(text);
  if (asked === undefined) throw new InputError(`is ${quoted(text)}`, { where: variable, expected: "1 or 0" });
  return flag === true || asked;
}

const SWITCH: ReadonlyMap<string, boolean> = new Map([
  ["1", true],
  ["0", false],
  ["", false],
]);

/** As it may stand in a line, however long it is. */
function quoted(text: string): string {
  return JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}…` : text);
}
