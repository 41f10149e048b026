/** A real nats-server for tests, on a free port of this machine, ended by the test that started it. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";

export interface TestNatsServer {
  readonly port: number;
  /** What `servers` of NatsOptions takes. */
  readonly address: string;
  stop(): Promise<void>;
}

/** Whether nats-server is on PATH; tests that need it skip themselves otherwise. */
export function hasNatsServer(): boolean {
  const found = spawnSync("nats-server", ["--version"]).status === 0;
  if (!found) console.warn("nats-server is not on PATH: the tests that need it are skipped");
  return found;
}

/**
 * Starts nats-server and resolves when it accepts connections.
 * @param port a port to use again after a stop; a free one by default
 * @param flags more flags, `--user`, `--pass`, … for instance
 */
export async function startNatsServer(port = -1, flags: readonly string[] = []): Promise<TestNatsServer> {
  const server = spawn("nats-server", ["-a", "127.0.0.1", "-p", String(port), ...flags], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  const chosen = await listeningPort(server);
  return {
    port: chosen,
    address: `127.0.0.1:${chosen}`,
    stop: async () => {
      if (server.exitCode !== null || server.signalCode !== null) return;
      const ended = once(server, "exit");
      server.kill("SIGKILL");
      await ended;
    },
  };
}

async function listeningPort(server: ChildProcess): Promise<number> {
  const said: string[] = [];
  for await (const line of createInterface({ input: server.stderr! })) {
    said.push(line);
    const port = /Listening for client connections on [^ ]*:(\d+)/.exec(line)?.[1];
    if (port !== undefined) {
      // Nobody reads on: without this the pipe would fill and stop the server.
      server.stderr!.resume();
      return Number(port);
    }
  }
  throw new Error(`nats-server ended early:\n${said.join("\n")}`);
}
