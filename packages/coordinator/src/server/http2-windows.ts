/**
 * Wide HTTP/2 windows for a gRPC server.
 *
 * A stream may have one window of bytes on the way before it must wait for the receiver. With HTTP/2's default of
 * 64 KiB a worker 20 ms away sends its meta-gradients at 2 MB/s; with 4 MiB at 94 MB/s. @grpc/grpc-js has an option for
 * it (`grpc-node.flow_control_window`) that only its client obeys, so the server's HTTP/2 servers are widened here, as
 * they are made. That method is private to grpc-js: the test beside this file measures the windows of a live session,
 * and fails when a new version makes this useless.
 */
import type { Http2SecureServer, Http2Server, ServerHttp2Session } from "node:http2";
import type { Server } from "@grpc/grpc-js";

interface ServerInside {
  createHttp2Server?: (...credentials: unknown[]) => Http2Server | Http2SecureServer;
}

/** Bytes that all connections together may have on the way towards us, while each has at least `SMALLEST`. */
const ALL_WINDOWS = 64 * 1024 * 1024;
const SMALLEST = 64 * 1024;

/** The window of a stream, in bytes, where there are so many connections: what a stream that is not read holds in memory. */
export function windowFor(connections: number, largest: number): number {
  const share = 2 ** Math.floor(Math.log2(ALL_WINDOWS / Math.max(1, connections)));
  return Math.min(largest, Math.max(SMALLEST, share));
}

/**
 * Lets every connection of `server`, and a stream of each, have `largest` bytes on the way towards us; with many
 * connections less a stream. Call it before `bindAsync`.
 * @param onSession told of each new connection
 */
export function widenServerWindows(
  server: Server,
  largest: number,
  onSession: (session: ServerHttp2Session) => void = () => undefined,
): void {
  const inside = server as unknown as ServerInside;
  const create = inside.createHttp2Server?.bind(server);
  if (create === undefined) throw new Error("this version of @grpc/grpc-js makes its HTTP/2 servers in another way");
  const sessions = new Set<ServerHttp2Session>();
  inside.createHttp2Server = (...credentials) => {
    const http2Server = create(...credentials);
    let window = largest;
    const share = () => {
      const initialWindowSize = windowFor(sessions.size, largest);
      if (initialWindowSize === window) return;
      window = initialWindowSize;
      http2Server.updateSettings({ initialWindowSize });
      for (const session of sessions)
        if (!session.closed && !session.destroyed) session.settings({ initialWindowSize });
    };
    http2Server.updateSettings({ initialWindowSize: largest });
    http2Server.on("session", (session) => {
      session.setLocalWindowSize(largest);
      sessions.add(session);
      session.once("close", () => {
        sessions.delete(session);
        share();
      });
      share();
      onSession(session);
    });
    return http2Server;
  };
}
