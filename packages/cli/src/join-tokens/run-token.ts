/** `mzsr token`: join tokens of a cluster, and the list of them that its coordinators read. */
import { appendFile } from "node:fs/promises";
import {
  newTokenId,
  parseTokenList,
  SHORTEST_SIGNING_SECRET,
  signJoinToken,
  type TokenListLine,
} from "@mzsr/coordinator";
import { InputError, messageOf, readSmallFile, reasonOf, writeFileAtomically } from "@mzsr/mzsr";
import { tokenFrom, tokenListFrom } from "../cluster/link-options.js";
import type { Terminal } from "../progress/terminal.js";

export type TokenAction = "create" | "revoke" | "list";

export interface TokenOptions {
  readonly tokenFile?: string;
  readonly tokenList?: string;
  readonly run?: string;
  /** Seconds. */
  readonly ttl: number;
  readonly note?: string;
  readonly output?: string;
  readonly json?: boolean;
}

type Made = Extract<TokenListLine, { made: string }>;
type State = "good" | "expired" | "revoked";

/** Names, expiries and notes of tens of thousands of tokens. */
const LARGEST_LIST_BYTES = 2 ** 22;

/** @throws InputError for a secret that is none or too short, a list that cannot be read or written, ids that are not in it */
export async function runToken(
  action: TokenAction,
  ids: readonly string[],
  options: TokenOptions,
  terminal: Terminal,
): Promise<void> {
  const list = tokenListFrom(options);
  if (list === undefined) {
    const expected = "--token-file with the cluster's secret, or --token-list";
    throw new InputError("there is no list of tokens, so none could be revoked", { expected });
  }
  if (action === "create") return create(list, options, terminal);
  if (action === "list") return show(list, options, terminal);
  await revoke(list, ids, terminal);
}

async function create(list: string, options: TokenOptions, terminal: Terminal): Promise<void> {
  const secret = await signingSecret(options);
  const { run, ttl, note, output } = options;
  if (run === undefined) throw new InputError("for which run?", { where: "--run", expected: "the name of its folder" });
  const id = newTokenId();
  const expires = Math.floor(Date.now() / 1000) + ttl;
  await append(list, [{ made: id, run, expires, ...(note === undefined ? {} : { note }) }]);
  const token = signJoinToken(secret, { id, run, expires });
  if (output === undefined) terminal.line(options.json === true ? JSON.stringify({ id, run, expires, token }) : token);
  else await writeToken(output, token);
  terminal.note(`token ${id}: lets workers into the run ${run} until ${new Date(expires * 1000).toISOString()}`);
}

async function signingSecret(options: TokenOptions): Promise<string> {
  const secret = await tokenFrom({ ...options, logLevel: "info" });
  const expected = `the cluster's secret, of at least ${SHORTEST_SIGNING_SECRET} characters: openssl rand -hex 20`;
  if (secret === undefined) throw new InputError("no secret to make a token from", { expected });
  if (secret.length >= SHORTEST_SIGNING_SECRET) return secret;
  throw new InputError("the secret is so short that whoever has a token could guess it", { expected });
}

async function writeToken(path: string, token: string): Promise<void> {
  try {
    await writeFileAtomically(path, Buffer.from(`${token}\n`), { replace: true, mode: 0o600 });
  } catch (thrown) {
    throw new InputError(`cannot be written (${messageOf(thrown)})`, { where: path });
  }
}

async function revoke(list: string, ids: readonly string[], terminal: Terminal): Promise<void> {
  if (ids.length === 0) throw new InputError("which token?", { expected: "ids, as `mzsr token list` shows them" });
  const known = new Set(read(list).flatMap((line) => ("made" in line ? [line.made] : [])));
  for (const id of ids) {
    if (!known.has(id)) throw new InputError(`there is no token ${JSON.stringify(id)}`, { where: list });
  }
  await append(
    list,
    ids.map((id) => ({ revoked: id })),
  );
  terminal.note(
    `revoked ${ids.join(", ")}: coordinators that read ${list} refuse them within seconds, and end their sessions`,
  );
}

async function show(list: string, { json }: TokenOptions, terminal: Terminal): Promise<void> {
  const lines = read(list);
  const revoked = new Set(lines.flatMap((line) => ("revoked" in line ? [line.revoked] : [])));
  const tokens = lines
    .filter((line): line is Made => "made" in line)
    .map((line) => ({ ...line, state: stateOf(line, revoked) }));
  if (json === true) return terminal.line(JSON.stringify(tokens));
  if (tokens.length === 0) terminal.note(`no tokens in ${list}`);
  for (const { made, run, expires, note, state } of tokens) {
    terminal.line(
      [made, state.padEnd(7), new Date(expires * 1000).toISOString(), run, note ?? ""].join("  ").trimEnd(),
    );
  }
}

function stateOf({ made, expires }: Made, revoked: ReadonlySet<string>): State {
  if (revoked.has(made)) return "revoked";
  return expires > Date.now() / 1000 ? "good" : "expired";
}

function read(list: string): TokenListLine[] {
  try {
    return parseTokenList(readSmallFile(list, LARGEST_LIST_BYTES).toString("utf8"));
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw new InputError(`cannot be read (${reasonOf(thrown)})`, { where: list, expected: "what `mzsr token` wrote" });
  }
}

/** Whole lines at the end: several may write at once. */
async function append(list: string, lines: readonly TokenListLine[]): Promise<void> {
  try {
    await appendFile(list, lines.map((line) => `${JSON.stringify(line)}\n`).join(""), { mode: 0o600 });
  } catch (thrown) {
    throw new InputError(`cannot be written (${messageOf(thrown)})`, { where: list, expected: "another --token-list" });
  }
}
