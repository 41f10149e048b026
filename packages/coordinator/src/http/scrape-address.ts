import { HostNames, withoutPort } from "@mzsr/shared";

/**
 * Where Prometheus is sent for a worker's metrics. A worker that could name any host would have Prometheus ask services
 * that it cannot reach itself, so it is the address that the worker connects from, at the port that it names.
 * @param told host:port, as the worker says it; empty when it serves none
 * @param peer host:port that the worker connects from
 * @param allowed hosts that a worker may name, as `HostNames` takes them
 * @returns empty when the worker names no port
 */
export function scrapeAddress(told: string, peer: string, allowed: readonly string[]): string {
  const port = Number(/:(\d{1,5})$/.exec(told)?.[1]);
  if (!(port >= 1 && port <= 65_535)) return "";
  const named = withoutPort(told);
  if (/^[\w.:-]+$/.test(named) && new HostNames(allowed).has(named)) return told;
  const from = withoutPort(peer).replace(/^::ffff:(?=\d+\.)/, "");
  return `${from.includes(":") ? `[${from}]` : from}:${port}`;
}
