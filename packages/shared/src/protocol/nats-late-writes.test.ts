import { once } from "node:events";
import { createRequire } from "node:module";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { expect, it } from "vitest";
import { dropLateWrites } from "./nats-late-writes.js";

interface Transport {
  socket: Socket | undefined;
  connect(server: object, options: object): Promise<void>;
  send(frame: Uint8Array): void;
}

const { NodeTransport } = createRequire(import.meta.url)("nats/lib/src/node_transport.js") as {
  NodeTransport: new () => Transport;
};

const INFO = 'INFO {"server_id":"x","version":"2.9.0","proto":1,"host":"127.0.0.1","port":1,"max_payload":1024}\r\n';

/** The server hangs up, and the client still writes; resolves to the error that the socket tells, if it tells one. */
async function writeLate(): Promise<string | undefined> {
  const peers: Socket[] = [];
  const server = createServer((socket) => {
    peers.push(socket.on("error", () => {}));
    socket.write(INFO);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const transport = new NodeTransport();
  await transport.connect({ hostname: "127.0.0.1", port, listen: `127.0.0.1:${port}`, src: "" }, { tls: null });
  const socket = transport.socket!;
  const closed = once(socket, "close");
  socket.once("finish", () => transport.send(new Uint8Array(1)));
  peers[0]!.end();
  const told = await closed.then(
    () => undefined,
    (error: NodeJS.ErrnoException) => error.code,
  );
  server.close();
  return told;
}

it("a write after the server went away raises an error only without the mend", async () => {
  expect(await writeLate()).toBe("ERR_STREAM_WRITE_AFTER_END");
  dropLateWrites();
  expect(await writeLate()).toBeUndefined();
});
