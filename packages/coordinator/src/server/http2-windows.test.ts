import { once } from "node:events";
import { connect, type ServerHttp2Session, type Settings } from "node:http2";
import { Server, ServerCredentials } from "@grpc/grpc-js";
import { expect, onTestFinished, test } from "vitest";
import { widenServerWindows } from "./http2-windows.js";

const FOUR_MEBIBYTES = 4 * 1024 * 1024;
const HTTP2_DEFAULT = 65_535;

/** The window of a stream, as a client of `server` is told. */
async function windowOfStream(server: Server): Promise<number | undefined> {
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    );
  });
  onTestFinished(() => server.forceShutdown());
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

test("the widening is still needed: grpc-js's own option leaves its server at 64 KiB", async () => {
  const server = new Server({ "grpc-node.flow_control_window": FOUR_MEBIBYTES });
  expect(await windowOfStream(server)).toBe(HTTP2_DEFAULT);
});

test("a grpc-js that makes its servers in another way is noticed at once", () => {
  expect(() => widenServerWindows({} as Server, FOUR_MEBIBYTES)).toThrow("makes its HTTP/2 servers in another way");
});
