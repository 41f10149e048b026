import { once } from "node:events";
import { createServer } from "node:http2";
import { type AddressInfo, connect } from "node:net";
import { expect, onTestFinished, test, vi } from "vitest";
import { ConnectionGuard, type GuardRules } from "./connection-guard.js";

async function guarded(changes: Partial<GuardRules>) {
  const refusals: string[] = [];
  const onRefusal: GuardRules["onRefusal"] = (reason, _peer, kind) => refusals.push(`${kind}: ${reason}`);
  const guard = new ConnectionGuard({ most: 10, strangersPerAddress: 10, strangerMs: 60_000, onRefusal, ...changes });
  const server = createServer();
  guard.watch(server);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const open = async () => {
    const socket = connect((server.address() as AddressInfo).port, "127.0.0.1")
      .on("error", () => undefined)
      .resume();
    onTestFinished(() => socket.destroy() && undefined);
    const closed = once(socket, "close");
    await once(socket, "connect");
    return { socket, closed, peer: `127.0.0.1:${socket.localPort}` };
  };
  onTestFinished(() => {
    guard.stop();
    server.close();
  });
  return { guard, refusals, open };
}

test("of too many strangers the oldest is let go, and a worker is not", async () => {
  const { guard, refusals, open } = await guarded({ strangersPerAddress: 2 });
  const worker = await open();
  guard.welcome(worker.peer);
  const [first, second, third] = [await open(), await open(), await open()];
  await first.closed;
  expect([worker, second, third].map(({ socket }) => socket.destroyed)).toEqual([false, false, false]);
  expect(refusals).toEqual([expect.stringMatching(/^connections: too many connections from its address/)]);
});

test("a stranger that says nothing is let go after its time", async () => {
  const { refusals, open } = await guarded({ strangerMs: 10 });
  const { closed } = await open();
  await closed;
  expect(refusals).toEqual(["connections: no hello arrived"]);
});

test("connections in all have a limit, and it is said how to raise it", async () => {
  const { refusals, open } = await guarded({ most: 1 });
  const kept = await open();
  const { closed } = await open();
  await closed;
  expect(kept.socket.destroyed).toBe(false);
  await vi.waitUntil(() => refusals.length === 1, 20_000);
  expect(refusals).toEqual(["connections: more than 1 connections; --max-connections allows more"]);
});
