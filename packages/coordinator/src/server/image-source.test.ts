import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { connect } from "node:http2";
import { join } from "node:path";
import { Server, ServerCredentials } from "@grpc/grpc-js";
import { clusterService, IMAGE_CHUNK_BYTES } from "@mzsr/shared";
import { temporaryFolder } from "@mzsr/testing/temporary-folder";
import { expect, onTestFinished, test, vi } from "vitest";
import { type ImageCall, ImageSource } from "./image-source.js";

const IMAGE = { sha256: "0".repeat(64), name: "a.png", bytes: 4 * IMAGE_CHUNK_BYTES, height: 1, width: 1 };

/** What asks for an image that is larger than a stream's window, over one connection, and reads nothing of it. */
async function unreading(patienceMs?: number) {
  const path = join(await temporaryFolder(), IMAGE.name);
  await writeFile(path, Buffer.alloc(IMAGE.bytes));
  const source = new ImageSource([{ ...IMAGE, path }], patienceMs);
  const server = new Server();
  server.addService(clusterService(), {
    Session: () => undefined,
    FetchImage: (call: ImageCall) => source.answer(call),
  });
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    );
  });
  onTestFinished(() => server.forceShutdown());
  const client = connect(`http://127.0.0.1:${port}`);
  onTestFinished(() => client.destroy());
  const { path: method, requestSerialize } = clusterService().FetchImage;
  const request = requestSerialize({ sha256: IMAGE.sha256 });
  const message = Buffer.concat([Buffer.of(0, 0, 0, 0, request.length), request]);
  const ask = () => {
    const headers = { ":method": "POST", ":path": method, "content-type": "application/grpc", te: "trailers" };
    const stream = client.request(headers).on("error", () => undefined);
    stream.end(message);
    return stream;
  };
  return { source, client, ask };
}

test("of many images that a peer asks for and does not read, eight chunks are in memory, and none when it has gone", async () => {
  const { source, client, ask } = await unreading();
  const streams = Array.from({ length: 100 }, ask);
  await Promise.all(streams.slice(0, 8).map((stream) => once(stream, "response")));
  expect(source.waitingBytes).toBeGreaterThan(0);
  expect(source.waitingBytes).toBeLessThanOrEqual(8 * IMAGE_CHUNK_BYTES);
  client.destroy();
  await vi.waitUntil(() => source.waitingBytes === 0, 20_000);
});

test("a call whose peer does not take a chunk within the patience is reset, and the next one gets its turn", async () => {
  const { source, ask } = await unreading(50);
  const streams = Array.from({ length: 20 }, ask);
  await Promise.all(streams.map((stream) => once(stream, "close")));
  await vi.waitUntil(() => source.waitingBytes === 0, 20_000);
});
