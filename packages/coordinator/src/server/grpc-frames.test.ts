import type { Http2Stream } from "node:http2";
import {
  Server,
  ServerCredentials,
  type ServerDuplexStream,
  type ServerInterceptor,
  type ServiceError,
  status,
} from "@grpc/grpc-js";
import { clusterClient, clusterService, coordinatorMessageToProto } from "@mzsr/shared";
import { expect, onTestFinished, test, vi } from "vitest";
import { refuseCall } from "./call-rules.js";
import { FrameReader } from "./frame-reader.js";
import { allowMessages, Frame, type FrameRules, messageRead, ownFrames, resetStream } from "./grpc-frames.js";
import { MessageMemory } from "./message-memory.js";

const drain = coordinatorMessageToProto({ type: "drain", reason: "over", finished: true });
const frame = new Frame(clusterService().Session.responseSerialize(drain));

const rulesOf = (memory = new MessageMemory(1e9)): FrameRules => ({
  memory,
  firstBytes: 1e6,
  onViolation: (call, kind, reason) => refuseCall(call, { kind, reason }),
});

/** A client's stream of a server that answers it with `answer`. */
async function streamOf(...of: Parameters<typeof clientOf>) {
  return (await clientOf(...of)).Session();
}

async function clientOf(
  interceptors: ServerInterceptor[],
  answer: (call: ServerDuplexStream<unknown, unknown>) => void,
) {
  const server = new Server({ interceptors });
  server.addService(clusterService(), { Session: answer, FetchImage: () => undefined });
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    );
  });
  onTestFinished(() => server.forceShutdown());
  const client = clusterClient(`127.0.0.1:${port}`);
  onTestFinished(() => client.close());
  return client;
}

test("a frame goes out as it is, without a copy, and arrives as the message that it holds", async () => {
  const written: unknown[] = [];
  const watching: ServerInterceptor = (_method, call) => {
    const { stream } = call as unknown as { stream: Http2Stream };
    const write = stream.write.bind(stream) as (...words: unknown[]) => boolean;
    stream.write = (...words: unknown[]) => {
      written.push(words[0]);
      return write(...words);
    };
    return call as unknown as ReturnType<ServerInterceptor>;
  };
  const stream = await streamOf([watching, ownFrames(rulesOf())], (call) => {
    call.write(frame);
    call.write(drain);
    call.end();
  });
  const arrived: unknown[] = [];
  for await (const message of stream) arrived.push(message);
  expect(arrived).toEqual([expect.objectContaining({ message: "drain" }), arrived[0]]);
  expect(written[0]).toBe(frame.bytes);
  expect(written[1], "grpc-js frames other messages in the same way").toEqual(frame.bytes);
});

test("what a client sends is put together by the frame reader", async () => {
  const write = vi.spyOn(FrameReader.prototype, "write");
  onTestFinished(() => write.mockRestore());
  const arrived: unknown[] = [];
  const stream = await streamOf([ownFrames(rulesOf())], (call) => {
    call.on("data", (message) => arrived.push(message)).on("end", () => call.end());
  });
  stream.write({ failure: { lease: "a", reason: "r".repeat(100_000) } });
  stream.write({ goodbye: { reason: "b" } });
  stream.end();
  await new Promise((resolve) => stream.on("end", resolve).resume());
  expect(arrived).toMatchObject([{ failure: { reason: "r".repeat(100_000) } }, { goodbye: { reason: "b" } }]);
  expect(write.mock.results.flatMap(({ value }) => value)).toHaveLength(2);
});

test("with room for one large message, those of many streams arrive one after the other, each whole", async () => {
  const memory = new MessageMemory(1);
  const arrived: string[] = [];
  let most = 0;
  const client = await clientOf([ownFrames(rulesOf(memory))], (call) => {
    call.on("data", ({ failure }) => {
      most = Math.max(most, memory.usedBytes);
      arrived.push(`${failure.lease}: ${failure.reason.length}`);
      messageRead(call);
    });
    call.on("end", () => call.end());
  });
  const reason = "r".repeat(300_000);
  const streams = Array.from({ length: 6 }, () => client.Session());
  const ended = streams.map((stream) => new Promise((resolve) => stream.on("end", resolve).resume()));
  for (const lease of ["a", "b"]) for (const stream of streams) stream.write({ failure: { lease, reason } });
  for (const stream of streams) stream.end();
  await Promise.all(ended);
  expect(arrived.sort()).toEqual([...Array(6).fill("a: 300000"), ...Array(6).fill("b: 300000")]);
  expect(most).toBe(5 * 65_536);
  expect(memory.usedBytes).toBe(0);
});

test("a message that is larger than any may be ends its stream with the reason, at once or after another", async () => {
  for (const answers of [true, false]) {
    const stream = await streamOf([ownFrames(rulesOf())], (call) => {
      call.on("data", () => allowMessages(call, 100));
      if (answers) call.write(drain);
    });
    stream.write({ goodbye: { reason: "r".repeat(101) } });
    stream.write({ goodbye: { reason: "r".repeat(101) } });
    const error = await new Promise<ServiceError>((resolve) => stream.on("error", resolve).resume());
    expect(error.code).toBe(status.RESOURCE_EXHAUSTED);
    expect(error.details).toMatch(/a message of 1\d\d bytes is larger than any may be here \(100\)/);
  }
});

test("a stream that is reset ends at once for its peer", async () => {
  const stream = await streamOf([ownFrames(rulesOf())], (call) => {
    call.write(frame, () => resetStream(call));
  });
  const error = await new Promise<Error>((resolve) => stream.on("error", resolve).resume());
  expect(error.message).toMatch(/CANCEL/i);
});

test("a grpc-js with another inside is noticed at once", () => {
  expect(() => ownFrames(rulesOf())({} as never, {} as never)).toThrow("frames its messages in another way");
  expect(() => resetStream({ call: {} } as never)).toThrow("HTTP/2 streams in another way");
  expect(() => messageRead({ call: {} } as never)).toThrow("not read with ownFrames");
});
