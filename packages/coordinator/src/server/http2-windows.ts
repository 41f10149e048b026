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

/**
 * Lets every stream and every connection of `server` have `bytes` on the way towards us. Call it before `bindAsync`.
 * @param onSession told of each new connection, @param onServer of each HTTP/2 server, before it listens
 */
export function widenServerWindows(
  server: Server,
  bytes: number,
  onSession: (session: ServerHttp2Session) => void = () => undefined,
  onServer: (server: Http2Server | Http2SecureServer) => void = () => undefined,
): void {
  const inside = server as unknown as ServerInside;
  const create = inside.createHttp2Server?.bind(server);
  if (create === undefined) throw new Error("this version of @grpc/grpc-js makes its HTTP/2 servers in another way");
  inside.createHttp2Server = (...credentials) => {
    const http2Server = create(...credentials);
    onServer(http2Server);
    http2Server.updateSettings({ initialWindowSize: bytes });
    http2Server.on("session", (session) => {
      session.setLocalWindowSize(bytes);
      onSession(session);
    });
    return http2Server;
  };
}
