import { type ClusterStatus, isLoopback, withoutPort } from "@mzsr/shared";

/** A group of Prometheus' HTTP service discovery. */
export interface ScrapeTargets {
  readonly targets: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
}

/**
 * Where Prometheus finds /metrics: the coordinator, and every connected worker that serves any.
 * @param self host:port of the coordinator's own
 */
export function scrapeTargets({ run, workers }: ClusterStatus, self: string): ScrapeTargets[] {
  const connected = workers.filter(({ state }) => state === "active" || state === "draining");
  const there = connected.filter(({ metricsAddress }) => metricsAddress !== "");
  return [
    { targets: [self], labels: { run, job: "mzsr-coordinator" } },
    ...there.map(({ worker, metricsAddress }) => ({
      targets: [seenFrom(self, metricsAddress)],
      labels: { run, worker, job: "mzsr-worker" },
    })),
  ];
}

/** A worker on the coordinator's machine is where Prometheus finds the coordinator. */
function seenFrom(self: string, address: string): string {
  if (!isLoopback(withoutPort(address)) || isLoopback(withoutPort(self))) return address;
  return `${self.replace(/(?<=[^:\]]|\]):\d+$/, "")}${address.slice(address.lastIndexOf(":"))}`;
}
