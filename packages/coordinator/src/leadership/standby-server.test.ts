import { freePort } from "@mzsr/testing/free-port";
import { expect, onTestFinished, test } from "vitest";
import { StandbyServer } from "./standby-server.js";

async function openRoom() {
  const port = await freePort();
  const problems: string[] = [];
  const room = new StandbyServer({ runName: "r", host: "127.0.0.1", port, onError: (reason) => problems.push(reason) });
  await room.open();
  onTestFinished(() => room.close());
  const statusOf = async (path: string, method = "GET") =>
    (await fetch(`http://127.0.0.1:${port}${path}`, { method })).status;
  return { room, port, problems, statusOf };
}

test("who stands by is healthy and has nothing else, asked in any way that a live run understands", async () => {
  const { statusOf, problems } = await openRoom();
  for (const path of ["/healthz", "/healthz?verbose", "/%68ealthz"]) expect(await statusOf(path)).toBe(200);
  expect(await statusOf("/healthz", "HEAD")).toBe(200);
  expect(await statusOf("/readyz?verbose")).toBe(503);
  expect(await statusOf("/%")).toBe(400);
  expect(await statusOf("/healthz", "POST")).toBe(405);
  expect(problems).toEqual([]);
});
