import { once } from "node:events";
import { createServer, type IncomingMessage, request } from "node:http";
import type { AddressInfo } from "node:net";
import type { ClusterStatus, StreamMessages } from "@mzsr/shared";
import { fakeStatus, fakeWorker } from "@mzsr/testing/fake-feed";
import { expect, onTestFinished, test, vi } from "vitest";
import { EventStream } from "./event-stream.js";

interface Message {
  readonly name: keyof StreamMessages;
  readonly data: ClusterStatus;
  readonly bytes: number;
}

/** A stream whose seconds a test makes pass, with one reader on a real socket. */
async function streamOf(status: () => ClusterStatus) {
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
  onTestFinished(() => void vi.useRealTimers());
  const stream = new EventStream(status);
  const server = createServer((asked, response) => void stream.open(asked, response)).listen(0, "127.0.0.1");
  await once(server, "listening");
  const call = request({ port: (server.address() as AddressInfo).port, host: "127.0.0.1" }).end();
  const [response] = (await once(call, "response")) as [IncomingMessage];
  onTestFinished(async () => {
    stream.close();
    response.destroy();
    server.close();
    await once(server, "close");
  });
  const messages = messagesOf(response);
  const next = async () => (await messages.next()).value as Message;
  const secondPasses = () => vi.advanceTimersByTime(1000);
  return { next, secondPasses };
}

async function* messagesOf(response: IncomingMessage): AsyncGenerator<Message> {
  let text = "";
  for await (const chunk of response.setEncoding("utf8")) {
    text += chunk;
    for (let end = text.indexOf("\n\n"); end >= 0; end = text.indexOf("\n\n")) {
      const [, name, data] = /^event: (.*)\ndata: (.*)$/s.exec(text.slice(0, end))!;
      yield { name: name as Message["name"], data: JSON.parse(data!), bytes: end };
      text = text.slice(end + 2);
    }
  }
}

/** Every status differs from the one before. */
function busyCluster(workers: number): () => ClusterStatus {
  const all = Array.from({ length: workers }, (_, n) => fakeWorker(`worker-${n}`));
  let step = 0;
  return () => fakeStatus({ step: ++step, workers: all });
}

test("a status of few workers goes out whole each second", async () => {
  const { next, secondPasses } = await streamOf(busyCluster(200));
  for (let second = 0; second < 4; second++) {
    const { name, data } = await next();
    expect([name, data.workers.length]).toEqual(["status", 200]);
    secondPasses();
  }
});

test("with a thousand workers every fifth second has the whole status, and those between have its head", async () => {
  const { next, secondPasses } = await streamOf(busyCluster(1000));
  expect((await next()).name).toBe("status");
  const names: string[] = [];
  let bytes = 0;
  let step = 1;
  for (let second = 1; second <= 10; second++) {
    secondPasses();
    const message = await next();
    names.push(message.name);
    bytes += message.bytes;
    expect(message.data.step).toBe(++step);
    expect(message.data.workers?.length).toBe(message.name === "status" ? 1000 : undefined);
  }
  const fiveSeconds = ["head", "head", "head", "head", "status"];
  expect(names).toEqual([...fiveSeconds, ...fiveSeconds]);
  expect(bytes / 10).toBeLessThan(70_000);
});
