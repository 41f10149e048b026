/** The coordinator's HTTP server: status, metrics, service discovery and the page. */
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { InputError, messageOf } from "@mzsr/shared";
import { HttpError, type Routes, sendJson } from "./routes.js";

export interface HttpServerOptions {
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
  readonly routes: Pick<Routes, "answer">;
  /** Told of failures that are ours. */
  readonly onError: (reason: string) => void;
}

export class HttpServer {
  readonly #server: Server;

  /** Use `startHttpServer`. */
  constructor(server: Server) {
    this.#server = server;
  }

  /** The port that it listens on. */
  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Lets answers that are under way end, and gives the port back. */
  async stop(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeIdleConnections();
    const force = setTimeout(() => this.#server.closeAllConnections(), 1_000);
    await closed;
    clearTimeout(force);
  }
}

/** @throws InputError when the address cannot be listened on */
export async function startHttpServer({ host, port, routes, onError }: HttpServerOptions): Promise<HttpServer> {
  const server = createServer((request, response) => {
    routes.answer(request, response).catch((thrown: unknown) => {
      const status = thrown instanceof HttpError ? thrown.status : 500;
      if (status === 500) onError(`${request.url}: ${messageOf(thrown)}`);
      if (response.headersSent) return response.destroy();
      sendJson(response, { error: status === 500 ? "the coordinator failed to answer" : messageOf(thrown) }, status);
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => reject(listenError(error, host, port)));
    server.listen(port, host, resolve);
  });
  return new HttpServer(server);
}

function listenError(error: NodeJS.ErrnoException, host: string, port: number): InputError {
  const what = error.code === "EADDRINUSE" ? `port ${port} is in use` : `cannot be listened on (${error.message})`;
  return new InputError(what, { where: `http://${host}:${port}`, expected: "a free port (--http-port)" });
}
