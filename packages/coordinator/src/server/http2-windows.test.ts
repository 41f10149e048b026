import { once } from "node:events";
import { connect, type ServerHttp2Session, type Settings } from "node:http2";
import { Server, ServerCredentials } from "@grpc/grpc-js";
import { until } from "@mzsr/testing/poll";
import { expect, onTestFinished, test } from "vitest";
import { widenServerWindows, windowFor } from "./http2-windows.js";

const FOUR_MEBIBYTES = 4 * 1024 * 1024;
const HTTP2_DEFAULT = 65_535;

async function listen(server: Server): Promise<number> {
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    );
  });
  onTestFinished(() => server.forceShutdown());
  return port;
}

/** The window of a stream, as a client of `server` is told. */
async function windowOfStream(server: Server): Promise<number | undefined> {
  const port = await listen(server);
  const client = connect(`http://127.0.0.1:${port}`);
  onTestFinished(() => client.destroy());
  const [settings] = (await once(client, "remoteSettings")) as [Settings];
  return settings.initialWindowSize;
}

test("a stream and a connection of a widened server have the window that was asked for", async () => {
  const server = new Server();
  const session = new Promise<ServerHttp2Session>((resolve) => widenServerWindows(server, FOUR_MEBIBYTES, resolve));
  expect(await windowOfStream(server)).toBe(FOUR_MEBIBYTES);
  expect((await session).state.effectiveLocalWindowSize).toBe(FOUR_MEBIBYTES);
});

test("the more connections there are, the less a stream of each may have on the way, old and new ones alike", async () => {
  const server = new Server();
  widenServerWindows(server, FOUR_MEBIBYTES);
  const port = await listen(server);
  const clients = Array.from({ length: 64 }, () => connect(`http://127.0.0.1:${port}`));
  onTestFinished(() => {
    for (const client of clients) client.destroy();
  });
  const told = (window: number) =>
    until("each client knows the window", async () =>
      clients.every(({ remoteSettings }) => remoteSettings.initialWindowSize === window),
    );
  await told(FOUR_MEBIBYTES / 4);
  for (const client of clients.splice(16)) client.destroy();
  await told(FOUR_MEBIBYTES);
});

test("windows are shared out in powers of two, 64 MiB in all and 64 KiB at least", () => {
  const windows = [0, 1, 32, 33, 256, 1024, 4096].map((connections) => windowFor(connections, FOUR_MEBIBYTES) / 1024);
  expect(windows).toEqual([4096, 4096, 2048, 1024, 256, 64, 64]);
});

test("the widening is still needed: grpc-js's own option leaves its server at 64 KiB", async () => {
  const server = new Server({ "grpc-node.flow_control_window": FOUR_MEBIBYTES });
  expect(await windowOfStream(server)).toBe(HTTP2_DEFAULT);
});

test("a grpc-js that makes its servers in another way is noticed at once", () => {
  expect(() => widenServerWindows({} as Server, FOUR_MEBIBYTES)).toThrow("makes its HTTP/2 servers in another way");
});
