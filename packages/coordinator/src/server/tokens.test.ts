import { appendFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { temporaryFolder } from "@mzsr/testing/temporary-folder";
import { expect, onTestFinished, test, vi } from "vitest";
import { readJoinToken, signJoinToken } from "./join-token.js";
import { RevokedTokens } from "./token-list.js";
import { Tokens } from "./tokens.js";

const CLAIM = { id: "id", run: "run", expires: 1000 };

test("a token says what it claims to whoever has its secret, and nothing when any letter of it is another", () => {
  const token = signJoinToken("secret", CLAIM);
  expect(readJoinToken("secret", token)).toEqual(CLAIM);
  expect(readJoinToken("another", token)).toBeUndefined();
  for (let at = 0; at < token.length; at++) {
    const changed = `${token.slice(0, at)}${token[at] === "x" ? "y" : "x"}${token.slice(at + 1)}`;
    expect(readJoinToken("secret", changed), changed).toBeUndefined();
  }
  for (const junk of ["", "mzsr1", "mzsr1..", "a.b.c", token.slice(0, -1)])
    expect(readJoinToken("secret", junk)).toBeUndefined();
});

test("an expired token opens no session, and still gets the images of one that is open", () => {
  const tokens = new Tokens({ secret: "secret", run: "run", now: () => 1000 });
  const token = signJoinToken("secret", CLAIM);
  expect(tokens.refusal(token)).toMatchObject({ kind: "expired" });
  expect(tokens.refusal(token, false)).toBeUndefined();
  expect(tokens.refusal("secret")).toBeUndefined();
  expect(new Tokens({ secret: undefined, run: "run" }).refusal("")).toBeUndefined();
});

test("the list of revoked tokens is read again when it changes; what is known stays when it cannot be read", async () => {
  const { path, list, told } = await watchedList("");
  expect([...list.ids]).toEqual([]);
  await writeFile(path, '{"made":"a","run":"r","expires":1}\n');
  await appendFile(path, '{"revoked":"a"}\n');
  await vi.waitUntil(() => told.length === 1, 20_000);
  expect([...list.ids]).toEqual(["a"]);
  await rm(path);
  await vi.waitUntil(() => told.length === 2, 20_000);
  expect([told, ...list.ids]).toEqual([["revoked", "problem"], "a"]);
});

test("a list that takes longer to read than the time between two looks is read by one look at a time", async () => {
  const long = `${JSON.stringify({ made: "a", run: "r", expires: 1, note: "x".repeat(2 ** 24) })}\n`;
  const { path, list, told } = await watchedList(`${long}{"revoked":"a"}\n`);
  await rm(path);
  await vi.waitUntil(() => told.length > 0, 20_000);
  await delay(300);
  expect([told, ...list.ids]).toEqual([["problem"], "a"]);
});

/** A list of tokens that is looked at every millisecond. */
async function watchedList(text: string) {
  const path = join(await temporaryFolder(), "list");
  if (text !== "") await writeFile(path, text);
  const told: string[] = [];
  const list = new RevokedTokens(path, {
    onRevoked: () => told.push("revoked"),
    onProblem: () => told.push("problem"),
    everyMs: 1,
  });
  onTestFinished(() => list.stop());
  await list.start();
  return { path, list, told };
}
