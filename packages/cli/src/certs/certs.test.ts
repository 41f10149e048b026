import { X509Certificate } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { temporaryFolder } from "@mzsr/testing/temporary-folder";
import { expect, test } from "vitest";
import type { Terminal } from "../progress/terminal.js";
import { issue, renew, validFor } from "./authority.js";
import { type CertsAction, runCerts } from "./run-certs.js";

const DAY_MS = 86_400_000;

/** A folder with an authority, and `mzsr certs` in it. */
async function authorityFolder() {
  const dir = join(await temporaryFolder(), "certs");
  const lines: string[] = [];
  const terminal = { line: (text: string) => lines.push(text) } as unknown as Terminal;
  const certs = (what: CertsAction, names: string[] = [], more = {}) =>
    runCerts(what, names, { dir, days: 30, ...more }, terminal);
  const text = (name: string) => readFile(join(dir, name), "utf8");
  await certs("init");
  return { dir, certs, text, lines };
}

test("what an authority signs is believed by it alone, for the names and the purpose that were asked for", async () => {
  const { certs, text, lines } = await authorityFolder();
  await certs("server", ["trainer.example", "10.0.0.5", "::1"]);
  await certs("client", ["worker-1"]);
  const authority = new X509Certificate(await text("ca.pem"));
  const server = new X509Certificate(await text("trainer.example.pem"));
  const client = new X509Certificate(await text("worker-1.pem"));
  expect([authority.ca, server.ca, client.ca]).toEqual([true, false, false]);
  for (const signed of [server, client]) expect(signed.verify(authority.publicKey)).toBe(true);
  expect(server.checkHost("trainer.example")).toBe("trainer.example");
  expect([server.checkIP("10.0.0.5"), server.checkIP("::1"), server.checkHost("other.example")]).toEqual([
    "10.0.0.5",
    "::1",
    undefined,
  ]);
  expect([server.keyUsage, client.keyUsage]).toEqual([["1.3.6.1.5.5.7.3.1"], ["1.3.6.1.5.5.7.3.2"]]);
  expect(lines.join("\n")).toContain("copy them to where the coordinator runs");
});

test("files that are there are replaced only with --force", async () => {
  const { certs, text } = await authorityFolder();
  const key = await text("ca.key");
  await expect(certs("init")).rejects.toThrow(/ca\.key: is there already; expected .*--force/);
  expect(await text("ca.key")).toBe(key);
  await certs("init", [], { force: true });
  expect(await text("ca.key")).not.toBe(key);
});

test("a name that is none, or would be the authority's, is refused", async () => {
  const { certs } = await authorityFolder();
  for (const name of ["a,CN=b", "../up", "ca", ""]) await expect(certs("client", [name])).rejects.toThrow("cannot be");
  await expect(certs("client", ["a", "b"])).rejects.toThrow("needs one name");
  await expect(certs("server", [])).rejects.toThrow("needs a name");
});

test("what has less than a third of its life left is renewed, with the same key and names", async () => {
  const { dir, certs, text, lines } = await authorityFolder();
  await certs("server", ["fresh.example"]);
  const authority = { certificate: await text("ca.pem"), key: await text("ca.key") };
  const old = await issue(authority, "server", ["old.example", "10.0.0.5"], {
    notBefore: new Date(Date.now() - 20 * DAY_MS),
    notAfter: new Date(Date.now() + 5 * DAY_MS),
  });
  await writeFile(join(dir, "old.example.pem"), old.certificate);
  await writeFile(join(dir, "old.example.key"), old.key);
  const fresh = await text("fresh.example.pem");
  await certs("renew");
  expect(await text("fresh.example.pem")).toBe(fresh);
  expect(await text("old.example.key")).toBe(old.key);
  const renewed = new X509Certificate(await text("old.example.pem"));
  expect(Date.parse(renewed.validTo)).toBeGreaterThan(Date.now() + 29 * DAY_MS);
  expect(renewed.publicKey.equals(new X509Certificate(old.certificate).publicKey)).toBe(true);
  expect([renewed.checkHost("old.example"), renewed.checkIP("10.0.0.5")]).toEqual(["old.example", "10.0.0.5"]);
  expect(lines.join("\n")).toMatch(/fresh\.example\.pem: good for 29 days more\n.*old\.example\.pem: renewed/s);
});

test("an authority that is renewed believes what it signed before", async () => {
  const { certs, text } = await authorityFolder();
  await certs("client", ["worker-1"]);
  await certs("renew", ["ca"]);
  const authority = new X509Certificate(await text("ca.pem"));
  expect(new X509Certificate(await text("worker-1.pem")).checkIssued(authority)).toBe(true);
  const client = { certificate: await text("worker-1.pem"), key: await text("worker-1.key") };
  const again = await renew({ certificate: await text("ca.pem"), key: await text("ca.key") }, client, validFor(1));
  expect(new X509Certificate(again.certificate).checkIssued(authority)).toBe(true);
});
