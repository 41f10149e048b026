/**
 * One fault of the `nats` package (2.29), mended in one place: when a server goes away, its transport may still write
 * to a socket whose writing side has ended. Node.js tells that by an `error` event for which the transport has no
 * listener any more, and the process ends: training would stop because NATS did.
 */
import { createRequire } from "node:module";
import { type ConnectionOptions, connect, type NatsConnection } from "nats";

interface Transport {
  readonly socket: { readonly writable: boolean } | undefined;
  _send(frame: Uint8Array): Promise<void>;
}

const MENDED = Symbol.for("mzsr.nats.late-writes-dropped");

/** Connects to NATS, with the fault mended. */
export function openNats(options: ConnectionOptions): Promise<NatsConnection> {
  dropLateWrites();
  return connect(options);
}

/** Makes the transport drop what it would write too late; the protocol above sends it again or not at all. */
export function dropLateWrites(): void {
  const { NodeTransport } = createRequire(import.meta.url)("nats/lib/src/node_transport.js") as {
    NodeTransport: { prototype: Transport & { [MENDED]?: true } };
  };
  const { prototype } = NodeTransport;
  if (prototype[MENDED]) return;
  const send = prototype._send;
  prototype._send = function (frame) {
    return this.socket?.writable === false ? Promise.resolve() : send.call(this, frame);
  };
  prototype[MENDED] = true;
}
