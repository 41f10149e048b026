/** Holds a gRPC server's sockets to the limits of connections.ts, and tells of TLS handshakes that fail. */
import type { Http2SecureServer, Http2Server } from "node:http2";
import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import { Connections } from "./connections.js";
import { handshakeProblem } from "./handshake-problem.js";
import type { OnRefusal } from "./refusal.js";

/** How often strangers whose time is over are looked for. */
const SWEEP_MS = 1_000;

export interface GuardRules {
  /** Connections in all. */
  readonly most: number;
  /** Strangers' connections from one address. */
  readonly strangersPerAddress: number;
  /** How long a connection may be a stranger's, in milliseconds. */
  readonly strangerMs: number;
  readonly onRefusal: OnRefusal;
}

export class ConnectionGuard {
  readonly #rules: GuardRules;
  readonly #connections: Connections;
  readonly #sockets = new Map<string, Socket>();
  readonly #peers = new WeakMap<Socket, string>();
  readonly #sweep: NodeJS.Timeout;

  constructor(rules: GuardRules) {
    this.#rules = rules;
    this.#connections = new Connections(rules);
    // After what has arrived by then: a loop that was busy runs its timers before it reads its sockets.
    this.#sweep = setInterval(() => setImmediate(() => this.#dropOverdue()), SWEEP_MS).unref();
  }

  /** Watches the server's sockets. */
  watch(server: Http2Server | Http2SecureServer): void {
    server.maxConnections = this.#rules.most;
    server.on("connection", (socket: Socket) => this.#opened(socket));
    server.on("drop", (data?: { readonly remoteAddress?: string; readonly remotePort?: number }) => {
      const reason = `more than ${this.#rules.most} connections; --max-connections allows more`;
      this.#rules.onRefusal(reason, `${data?.remoteAddress}:${data?.remotePort}`, "connections");
    });
    server.on("tlsClientError", (error: Error, socket: TLSSocket) => this.#handshakeFailed(error, socket));
  }

  /** A worker has introduced itself on the connection of this peer. */
  welcome(peer: string): void {
    this.#connections.strangerNoMore(peer);
  }

  stop(): void {
    clearInterval(this.#sweep);
  }

  #opened(socket: Socket): void {
    const { remoteAddress, remotePort } = socket;
    // It is gone already.
    if (remoteAddress === undefined) return;
    const peer = `${remoteAddress}:${remotePort}`;
    this.#sockets.set(peer, socket);
    this.#peers.set(socket, peer);
    socket.once("close", () => {
      this.#sockets.delete(peer);
      this.#connections.strangerNoMore(peer);
    });
    const oldest = this.#connections.opened(peer, remoteAddress, performance.now());
    if (oldest !== undefined) this.#drop(oldest, "too many connections from its address on which no worker said hello");
  }

  #dropOverdue(): void {
    for (const peer of this.#connections.overdue(performance.now())) this.#drop(peer, "no hello arrived");
  }

  #drop(peer: string, reason: string): void {
    this.#rules.onRefusal(reason, peer, "connections");
    this.#sockets.get(peer)?.destroy();
  }

  #handshakeFailed(error: Error, socket: TLSSocket): void {
    const reason = handshakeProblem(error, socket);
    if (reason !== undefined) this.#rules.onRefusal(reason, this.#peerOf(socket), "certificate");
  }

  /** Also of a socket that is closed already: the one below it was known while it was open. */
  #peerOf(socket: TLSSocket): string {
    const below = (socket as TLSSocket & { readonly _parent?: Socket })._parent;
    const known = below && this.#peers.get(below);
    return known ?? `${socket.remoteAddress ?? "unknown"}:${socket.remotePort ?? 0}`;
  }
}
