import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { hostname } from "node:os";
import { InputError, messageOf } from "@mzsr/mzsr";
import type { Registry } from "prom-client";

export interface MetricsAddress {
  /** 0 takes a free port. */
  readonly port: number;
  /** Interface to listen on. */
  readonly host: string;
}

export interface MetricsServer {
  /** host:port under which Prometheus finds it. */
  readonly address: string;
  close(): Promise<void>;
}

/**
 * Serves /metrics and /healthz over HTTP.
 * @throws InputError when the port cannot be had
 */
export async function serveMetrics(registry: Registry, { port, host }: MetricsAddress): Promise<MetricsServer> {
  const server = createServer(async (request, response) => {
    const path = request.url?.split("?")[0];
    if (path === "/healthz") {
      response.end("ok\n");
    } else if (path === "/metrics") {
      const body = await registry.metrics();
      response.setHeader("Content-Type", registry.contentType);
      response.end(body);
    } else {
      response.statusCode = 404;
      response.end("try /metrics\n");
    }
  });
  try {
    server.listen(port, host);
    await once(server, "listening");
  } catch (error) {
    const where = `${host}:${port}`;
    throw new InputError(`metrics cannot be served (${messageOf(error)})`, {
      where,
      expected: "a free --metrics-port",
    });
  }
  const listening = (server.address() as AddressInfo).port;
  const anywhere = host === "0.0.0.0" || host === "::";
  return {
    address: `${anywhere ? hostname() : host.includes(":") ? `[${host}]` : host}:${listening}`,
    close: async () => {
      server.closeAllConnections();
      server.close();
      if (server.listening) await once(server, "close");
    },
  };
}
