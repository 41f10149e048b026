import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { temporaryFolder } from "@mzsr/testing/temporary-folder";
import { expect, test } from "vitest";
import type { Terminal } from "../progress/terminal.js";
import { runToken, type TokenAction, type TokenOptions } from "./run-token.js";

async function tokensOf(secret: string) {
  const tokenFile = join(await temporaryFolder(), "secret");
  await writeFile(tokenFile, secret);
  const lines: string[] = [];
  const terminal = { line: (text: string) => lines.push(text), note: () => undefined } as unknown as Terminal;
  const token = (what: TokenAction, ids: string[] = [], more: Partial<TokenOptions> = {}) =>
    runToken(what, ids, { tokenFile, ttl: 60, ...more }, terminal);
  return { token, lines };
}

test("tokens that were made are listed with what they are good for, and those that are revoked", async () => {
  const { token, lines } = await tokensOf("a secret of more than twenty characters");
  await token("create", [], { run: "first", note: "for Ada" });
  await token("create", [], { run: "second", ttl: -1 });
  await token("create", [], { run: "first" });
  expect(lines.every((line) => line.startsWith("mzsr1."))).toBe(true);
  await token("list", [], { json: true });
  const [a, b, c] = JSON.parse(lines.pop()!);
  expect([a, b, c].map(({ state, run, note }) => [state, run, note])).toEqual([
    ["good", "first", "for Ada"],
    ["expired", "second", undefined],
    ["good", "first", undefined],
  ]);
  await token("revoke", [c.made]);
  await token("list");
  expect(lines.at(-1)).toMatch(new RegExp(`^${c.made}  revoked  .*Z  first$`));
});

test("what cannot be made or revoked is refused with what would be right", async () => {
  const { token } = await tokensOf("a secret of more than twenty characters");
  await expect(token("create")).rejects.toThrow(/--run: for which run/);
  await expect(token("revoke", ["0123"])).rejects.toThrow(/there is no token "0123"/);
  await expect(token("revoke")).rejects.toThrow(/which token/);
  const short = await tokensOf("change-me");
  await expect(short.token("create", [], { run: "first" })).rejects.toThrow(/so short.*openssl rand/);
});
