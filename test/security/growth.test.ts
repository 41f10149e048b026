/** What strangers can make grow. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { helloOf, ScriptedWorker } from "@mzsr/testing/scripted-worker";
import { temporaryFolder } from "@mzsr/testing/temporary-folder";
import pino from "pino";
import { expect, test } from "vitest";
import { smallCoordinator } from "../../packages/coordinator/src/testing/small-coordinator.js";

test("peers that are refused again and again are counted, and write a bounded number of lines", async () => {
  const folder = await temporaryFolder();
  const logged: string[] = [];
  const logger = pino({ level: "warn" }, { write: (line: string) => void logged.push(line) });
  const coordinator = await smallCoordinator(folder, { token: "a secret", logger });
  const attempts = 200;
  for (let at = 0; at < attempts; at += 20) {
    const peers = Array.from({ length: 20 }, () => ScriptedWorker.at(coordinator.grpcAddress, "a guess"));
    for (const [n, peer] of peers.entries()) peer.hello(helloOf(`stranger-${at + n}`));
    await Promise.all(peers.map((peer) => peer.closed()));
  }
  const metrics = await (await fetch(`http://${coordinator.httpAddress}/metrics`)).text();
  expect(metrics).toContain(`mzsr_events_total{kind="refusal",run="run"} ${attempts}`);
  await coordinator.stop("the test is over");
  const events = (await readFile(join(folder, "run", "events.jsonl"), "utf8")).trim().split("\n");
  const refusals = events.filter((line) => line.includes('"refusal"'));
  expect(refusals.length).toBeLessThan(25);
  expect(refusals.at(-1)).toContain("more within a minute");
  expect(logged.filter((line) => line.includes("token")).length).toBeLessThan(25);
  expect(logged.join("")).not.toContain("a guess");
});

test("requests to the page with a wrong secret or name are counted and told of", async () => {
  const coordinator = await smallCoordinator(await temporaryFolder(), { http: { secret: "s3cret" } });
  const ask = (headers: Record<string, string>) => fetch(`http://${coordinator.httpAddress}/metrics`, { headers });
  // A browser asks without one first: that is nothing to tell of.
  expect((await ask({})).status).toBe(401);
  for (let at = 0; at < 5; at++) expect((await ask({ authorization: "Bearer guess" })).status).toBe(401);
  const text = await (await ask({ authorization: "Bearer s3cret" })).text();
  expect(text).toContain('mzsr_refusals_total{reason="http",run="run"} 5');
});
