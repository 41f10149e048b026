/** The listener for workers: the gRPC service, its sessions and its images. */
import { randomUUID } from "node:crypto";
import { Server, type ServerCredentials } from "@grpc/grpc-js";
import { InputError } from "@mzsr/mzsr";
import { type CoordinatorToWorker, clusterService, FLOW_CONTROL_WINDOW_BYTES, MAX_MESSAGE_BYTES } from "@mzsr/shared";
import type { SessionId } from "../core/events.js";
import type { DatasetFile } from "../tasks/dataset.js";
import { refuseCall, refuseStrangers } from "./call-rules.js";
import { ConnectionGuard } from "./connection-guard.js";
import { ownFrames } from "./grpc-frames.js";
import { widenServerWindows } from "./http2-windows.js";
import { type ImageCall, ImageSource } from "./image-source.js";
import { MessageMemory } from "./message-memory.js";
import type { Outgoing } from "./outgoing.js";
import type { Tokens } from "./tokens.js";
import { type SessionCall, type SessionRules, WorkerStream } from "./worker-stream.js";

/** Bytes of large messages that may arrive at a time. */
const ARRIVING_BYTES = 64 * 1024 * 1024;

/** Bytes that a hello, or what asks for an image, may have. */
const FIRST_MESSAGE_BYTES = 16 * 1024;

/** Calls at a time over one connection: a worker makes one and those that fetch images; a proxy may bring many workers. */
const CALLS_PER_CONNECTION = 100;

/** Connections on which nobody has said hello, from one address: more than reconnect at once when a fleet's coordinator is back. */
const STRANGERS_PER_ADDRESS = 2_000;

/** How long a connection may stay without a hello. */
const STRANGER_MS = 20_000;

/** Connections in all, by default. */
export const MOST_CONNECTIONS = 8_000;

/** How long streams may take to end by themselves when the server stops. */
const GRACE_MS = 2_000;

export interface GrpcServerOptions extends Omit<SessionRules, "onClosed" | "onWelcome"> {
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
  readonly credentials: ServerCredentials;
  readonly images: readonly DatasetFile[];
  /** Who may call. */
  readonly tokens: Tokens;
  /** Connections that are taken in all. */
  readonly maxConnections?: number | undefined;
}

export class GrpcServer {
  readonly #server: Server;
  readonly #guard: ConnectionGuard;
  readonly #sessions = new Map<SessionId, WorkerStream>();
  readonly #onEmpty: (() => void)[] = [];
  #port = 0;

  /** Use `startGrpcServer`. */
  constructor(server: Server, guard: ConnectionGuard) {
    this.#server = server;
    this.#guard = guard;
  }

  /** The port that it listens on. */
  get port(): number {
    return this.#port;
  }

  /** @throws InputError when the address cannot be listened on */
  async listen(options: GrpcServerOptions): Promise<void> {
    const rules: SessionRules = {
      ...options,
      onClosed: (session) => this.#forget(session),
      onWelcome: (peer) => this.#guard.welcome(peer),
    };
    const images = new ImageSource(options.images, options.patienceMs);
    const handlers = {
      Session: (call: SessionCall) => {
        const session = new WorkerStream(randomUUID(), call, rules);
        this.#sessions.set(session.id, session);
      },
      FetchImage: (call: ImageCall) => images.answer(call),
    };
    this.#server.addService(clusterService(), handlers);
    this.#port = await bind(this.#server, options);
  }

  /** Sends to a session; one that is gone already has said so, and is passed over. */
  send(session: SessionId, message: CoordinatorToWorker | Outgoing): void {
    this.#sessions.get(session)?.send(message);
  }

  /** Ends a session after what was sent to it. */
  close(session: SessionId, reason: string): void {
    this.#sessions.get(session)?.close(reason);
  }

  /** Ends the sessions whose token would be refused now, though it was good when they began; expiry ends none. */
  recheck(tokens: Tokens): void {
    for (const session of [...this.#sessions.values()]) session.recheck(tokens);
  }

  /** Resolves when every session has ended by itself, or after `graceMs`. */
  async drained(graceMs: number): Promise<void> {
    if (this.#sessions.size === 0) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, graceMs);
      this.#onEmpty.push(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }

  /** Takes no new sessions, ends the open ones, and gives the port back. */
  async stop(reason: string): Promise<void> {
    this.#guard.stop();
    for (const session of [...this.#sessions.values()]) session.close(reason);
    await new Promise<void>((resolve) => {
      const force = setTimeout(() => this.#server.forceShutdown(), GRACE_MS);
      this.#server.tryShutdown(() => {
        clearTimeout(force);
        resolve();
      });
    });
  }

  #forget(session: SessionId): void {
    this.#sessions.delete(session);
    if (this.#sessions.size === 0) for (const resolve of this.#onEmpty.splice(0)) resolve();
  }
}

/** @throws InputError when the address cannot be listened on */
export async function startGrpcServer(options: GrpcServerOptions): Promise<GrpcServer> {
  const { onRefusal, tokens, maxConnections: most = MOST_CONNECTIONS } = options;
  const memory = new MessageMemory(ARRIVING_BYTES);
  const frames = ownFrames({
    memory,
    firstBytes: FIRST_MESSAGE_BYTES,
    onViolation: (call, kind, reason) => {
      onRefusal(reason, call.getPeer(), kind);
      refuseCall(call, { kind, reason });
    },
  });
  const server = new Server({
    "grpc.max_receive_message_length": MAX_MESSAGE_BYTES,
    "grpc.max_send_message_length": MAX_MESSAGE_BYTES,
    "grpc.max_concurrent_streams": CALLS_PER_CONNECTION,
    // The last resort for a peer whose machine is gone: silence is the core's to judge, by any message or heartbeat.
    // Its timer runs on this process's own loop, which may be seconds late with many workers: a short one might end the
    // sessions of workers whose answers lie unread.
    "grpc.keepalive_time_ms": 60_000,
    "grpc.keepalive_timeout_ms": 60_000,
    interceptors: [refuseStrangers(tokens, onRefusal), frames],
  });
  const limits = { strangersPerAddress: STRANGERS_PER_ADDRESS, strangerMs: STRANGER_MS };
  const guard = new ConnectionGuard({ most, ...limits, onRefusal });
  widenServerWindows(server, FLOW_CONTROL_WINDOW_BYTES, undefined, (http2Server) => guard.watch(http2Server));
  const grpc = new GrpcServer(server, guard);
  await grpc.listen(options);
  return grpc;
}

function bind(server: Server, { host, port, credentials }: GrpcServerOptions): Promise<number> {
  const address = `${host.includes(":") ? `[${host}]` : host}:${port}`;
  return new Promise((resolve, reject) => {
    server.bindAsync(address, credentials, (error, bound) => {
      if (error === null) return resolve(bound);
      const expected = "a free port (--port) and an address of this machine (--host)";
      reject(new InputError(`workers cannot be served (${error.message})`, { where: address, expected }));
    });
  });
}
