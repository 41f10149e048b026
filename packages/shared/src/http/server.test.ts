import { once } from "node:events";
import { connect } from "node:net";
import { expect, test, vi } from "vitest";
import { sendText } from "./answers.js";
import { COORDINATOR_FLAGS, startHttpServer } from "./server.js";

test("a connection on which nobody asked for anything does not hold up the end", async () => {
  const routes = { answer: async (_: unknown, response: Parameters<typeof sendText>[0]) => sendText(response, "ok") };
  const server = await startHttpServer({
    host: "127.0.0.1",
    port: 0,
    flags: COORDINATOR_FLAGS,
    routes,
    onError: () => undefined,
  });
  const unused = connect(server.port, "127.0.0.1");
  const gone = once(unused, "close");
  await once(unused, "connect");
  // An answer on a later connection: by then the server has taken the first one, too.
  await (await fetch(`http://127.0.0.1:${server.port}/`)).text();
  vi.useFakeTimers({ toFake: ["setTimeout"] });
  try {
    // The clock stands, so that nothing ends by being forced.
    await server.stop();
  } finally {
    vi.useRealTimers();
  }
  expect((await gone).at(0)).toBe(false);
});
