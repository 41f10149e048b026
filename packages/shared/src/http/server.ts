/** The one HTTP server of the cluster: coordinators', standbys', workers' and that of `mzsr view`. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { InputError, messageOf } from "@mzsr/mzsr";
import { HttpError, SAFE_HEADERS, sendJson } from "./answers.js";
import { HttpGuard, type HttpGuardOptions } from "./guard.js";

/** A request is some hundred bytes: who takes longer to send one keeps a connection for nothing. */
const REQUEST_MS = 15_000;
/** Connections of all peers together; a browser has six. */
const MOST_CONNECTIONS = 1024;

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
  readonly routes: HttpRoutes;
  /** Who is answered; by default everybody, under a name that is safe. */
  readonly guard?: HttpGuardOptions | undefined;
  /** Told of failures that are ours. */
  readonly onError: (reason: string) => void;
  /** Told of requests that the guard refused, with the peer's address and port. */
  readonly onRefused?: ((reason: string, peer: string) => void) | undefined;
}

export interface HttpRoutes {
  /** @throws HttpError */
  answer(request: IncomingMessage, response: ServerResponse): Promise<void>;
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
export async function startHttpServer(options: HttpServerOptions): Promise<HttpServer> {
  const { host, port, flags } = options;
  const guard = new HttpGuard(host, options.guard);
  const server = createServer({ headersTimeout: REQUEST_MS, requestTimeout: REQUEST_MS }, (request, response) => {
    answer(request, response, guard, options).catch((thrown: unknown) => failed(request, response, thrown, options));
  });
  server.maxConnections = MOST_CONNECTIONS;
  const running = new HttpServer(server);
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => reject(listenError(error, host, port, flags)));
    server.listen(port, host, resolve);
  });
  return running;
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  guard: HttpGuard,
  { routes, onRefused }: HttpServerOptions,
): Promise<void> {
  for (const [name, value] of Object.entries(SAFE_HEADERS)) response.setHeader(name, value);
  try {
    guard.admit(request);
  } catch (thrown) {
    // A browser asks without the secret first.
    const asks = thrown instanceof HttpError && thrown.status === 401 && request.headers.authorization === undefined;
    if (!asks) onRefused?.(messageOf(thrown), `${request.socket.remoteAddress}:${request.socket.remotePort}`);
    throw thrown;
  }
  await routes.answer(request, response);
}

function failed(
  { url }: IncomingMessage,
  response: ServerResponse,
  thrown: unknown,
  { onError }: HttpServerOptions,
): void {
  const known = thrown instanceof HttpError ? thrown : undefined;
  if (known === undefined) onError(`${url}: ${messageOf(thrown)}`);
  if (response.headersSent) {
    response.destroy();
    return;
  }
  for (const [name, value] of Object.entries(known?.headers ?? {})) response.setHeader(name, value!);
  sendJson(response, { error: known?.message ?? "the server failed to answer" }, known?.status ?? 500);
}

function listenError(error: NodeJS.ErrnoException, host: string, port: number, flags: ListenFlags): InputError {
  const where = `http://${host}:${port}`;
  if (error.code === "EADDRINUSE") {
    return new InputError(`port ${port} is in use`, { where, expected: `a free port (${flags.port})` });
  }
  const expected = `an address of this machine (${flags.host}) and a port that may be listened on (${flags.port})`;
  return new InputError(`cannot be listened on (${error.message})`, { where, expected });
}
