import { once } from "node:events";
import { createServer } from "node:net";

/**
 * Below the ports that the kernel gives to outgoing connections: nobody takes one while its owner is dead, and no
 * worker that knocks there can be connected to itself.
 */
const FIRST = 20_000;
const COUNT = 10_000;

/** Ports of this machine that nobody listens on. */
export async function fixedPorts(count: number): Promise<number[]> {
  const ports: number[] = [];
  for (let tries = 0; ports.length < count && tries < COUNT; tries++) {
    const port = FIRST + Math.floor(Math.random() * COUNT);
    if (!ports.includes(port) && (await isFree(port))) ports.push(port);
  }
  return ports;
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer().listen(port, "127.0.0.1");
  try {
    await once(server, "listening");
  } catch {
    return false;
  }
  server.close();
  await once(server, "close");
  return true;
}
