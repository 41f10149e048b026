/** What bare TCP costs a server for the same bytes. */
import { fileURLToPath } from "node:url";
import { startSide } from "../peer.js";

const RAW_TCP = fileURLToPath(new URL("../sides/raw-tcp.mjs", import.meta.url));

interface Exchange {
  readonly rounds: number;
  readonly cpuSeconds: number;
  readonly bytes: number;
}

/**
 * Bytes (in and out) per processor second of a server with `connections`, to each of which a message goes and comes back.
 * At most `rounds` rounds and about `seconds`.
 */
export async function rawTcpBytesPerCpuSecond(
  cores: { readonly server: string; readonly clients: string },
  exchange: { readonly connections: number; readonly bytes: number; readonly rounds: number; readonly seconds: number },
): Promise<number> {
  const { connections: count, bytes, rounds, seconds } = exchange;
  const server = startSide(cores.server, process.execPath, [RAW_TCP]);
  const clients = startSide(cores.clients, process.execPath, [RAW_TCP]);
  try {
    const { port } = await server.ask<{ port: number }>({ type: "listen", bytes });
    await clients.ask({ type: "connect", port, count, bytes });
    const result = await server.ask<Exchange>({ type: "exchange", count, rounds, seconds });
    return result.bytes / result.cpuSeconds;
  } finally {
    clients.stop();
    server.stop();
  }
}
