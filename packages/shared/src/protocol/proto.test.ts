import { once } from "node:events";
import { createServer, type ServerHttp2Session } from "node:http2";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { clusterClient, clusterService, FLOW_CONTROL_WINDOW_BYTES } from "./proto.js";

const cleanUps: (() => void)[] = [];
afterEach(() => {
  for (const cleanUp of cleanUps.splice(0).reverse()) cleanUp();
});

describe("the client's channel", () => {
  it("opens HTTP/2 windows of 4 MiB towards itself, so that parameters arrive at full speed", async () => {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const opened = once(server, "session") as Promise<[ServerHttp2Session]>;
    const client = clusterClient(`127.0.0.1:${(server.address() as AddressInfo).port}`);
    cleanUps.push(() => server.close());
    cleanUps.push(() => client.close());
    client.getChannel().getConnectivityState(true);
    const [session] = await opened;
    cleanUps.push(() => session.destroy());
    const [settings] = await once(session, "remoteSettings");
    expect(settings.initialWindowSize).toBe(FLOW_CONTROL_WINDOW_BYTES);
    // The window of the whole connection is widened by an update that follows the settings.
    const widened = () => (session.state.remoteWindowSize ?? 0) >= FLOW_CONTROL_WINDOW_BYTES;
    while (!widened()) await new Promise((resolve) => setImmediate(resolve));
    expect(session.state.remoteWindowSize).toBe(FLOW_CONTROL_WINDOW_BYTES);
  });
});

describe("the service", () => {
  it("has the calls of the contract under their names", () => {
    const service = clusterService();
    expect(service.Session).toMatchObject({
      path: "/mzsr.v1.Cluster/Session",
      requestStream: true,
      responseStream: true,
    });
    expect(service.FetchImage).toMatchObject({ path: "/mzsr.v1.Cluster/FetchImage", requestStream: false });
  });
});
