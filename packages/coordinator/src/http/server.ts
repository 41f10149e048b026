/** The coordinator's HTTP server: status, metrics, service discovery and the page. */
import { createServer, type Server } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { InputError, messageOf } from "@mzsr/mzsr";
import { HttpError, type Routes, sendJson } from "./routes.js";

export interface ListenFlags {
  readonly host: string;
  readonly port: string;
}

export const COORDINATOR_FLAGS: ListenFlags = { host: "--http-host, or --host", port: "--http-port" };

export interface HttpServerOptions {
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
  /** The options that set `host` and `port`. */
  readonly flags: ListenFlags;
  readonly routes: Pick<Routes, "answer">;
  /** Told of failures that are ours. */
  readonly onError: (reason: string) => void;
}

export class HttpServer {
  readonly #server: Server;
  /** Connections that have not asked for anything yet: to Node they are not idle. */
  readonly #unused = new Set<Socket>();

  /** Use `startHttpServer`. */
  constructor(server: Server) {
    this.#server = server;
    server.on("connection", (socket) => {
      this.#unused.add(socket);
      socket.once("close", () => this.#unused.delete(socket));
    });
    server.on("request", ({ socket }) => this.#unused.delete(socket));
  }

  /** The port that it listens on. */
  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Lets answers that are under way end, and gives the port back. */
  async stop(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeIdleConnections();
    for (const socket of this.#unused) socket.destroy();
    const force = setTimeout(() => this.#server.closeAllConnections(), 1_000);
    await closed;
    clearTimeout(force);
  }
}

/** @throws InputError when the address cannot be listened on */
export async function startHttpServer({ host, port, flags, routes, onError }: HttpServerOptions): Promise<HttpServer> {
  const server = createServer((request, response) => {
    routes.answer(request, response).catch((thrown: unknown) => {
      const status = thrown instanceof HttpError ? thrown.status : 500;
      if (status === 500) onError(`${request.url}: ${messageOf(thrown)}`);
      if (response.headersSent) return response.destroy();
      sendJson(response, { error: status === 500 ? "the coordinator failed to answer" : messageOf(thrown) }, status);
    });
  });
  const running = new HttpServer(server);
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => reject(listenError(error, host, port, flags)));
    server.listen(port, host, resolve);
  });
  return running;
}

function listenError(error: NodeJS.ErrnoException, host: string, port: number, flags: ListenFlags): InputError {
  const where = `http://${host}:${port}`;
  if (error.code === "EADDRINUSE") {
    return new InputError(`port ${port} is in use`, { where, expected: `a free port (${flags.port})` });
  }
  const expected = `an address of this machine (${flags.host}) and a port that may be listened on (${flags.port})`;
  return new InputError(`cannot be listened on (${error.message})`, { where, expected });
}
