import type { IncomingMessage, ServerResponse } from "node:http";
import { hostname } from "node:os";
import { askedUrl, HttpError, type HttpGuardOptions, sendText, startHttpServer } from "@mzsr/shared";
import type { Registry } from "prom-client";

export interface MetricsAddress {
  /** 0 takes a free port. */
  readonly port: number;
  /** Interface to listen on. */
  readonly host: string;
  /** Who is answered. */
  readonly guard?: HttpGuardOptions | undefined;
  /** Told of failures that are ours. */
  readonly onError: (reason: string) => void;
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
export async function serveMetrics(
  registry: Registry,
  { port, host, guard, onError }: MetricsAddress,
): Promise<MetricsServer> {
  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    const { pathname } = askedUrl(request);
    if (pathname === "/healthz") sendText(response, "ok\n");
    else if (pathname === "/metrics") sendText(response, await registry.metrics(), registry.contentType);
    else throw new HttpError(404, "try /metrics");
  };
  const flags = { host: "--metrics-host", port: "--metrics-port" };
  const server = await startHttpServer({ host, port, flags, routes: { answer }, guard, onError });
  const anywhere = host === "0.0.0.0" || host === "::";
  return {
    address: `${anywhere ? hostname() : host.includes(":") ? `[${host}]` : host}:${server.port}`,
    close: () => server.stop(),
  };
}
