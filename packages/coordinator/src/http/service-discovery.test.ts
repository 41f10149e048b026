import { fakeStatus, fakeWorker } from "@mzsr/testing/fake-feed";
import { expect, test } from "vitest";
import { scrapeTargets } from "./service-discovery.js";

test("of a thousand workers Prometheus is told of those that are connected and serve metrics", () => {
  const states = ["active", "draining", "quarantined", "lost", "gone"] as const;
  const workers = Array.from({ length: 1000 }, (_, n) =>
    fakeWorker(`worker-${n}`, { state: states[n % 5]!, metricsAddress: n % 10 < 5 ? `10.0.0.${n % 250}:7702` : "" }),
  );
  const [self, ...others] = scrapeTargets(fakeStatus({ workers }), "10.0.0.5:7701");
  expect(self).toEqual({ targets: ["10.0.0.5:7701"], labels: { run: "fake", job: "mzsr-coordinator" } });
  expect(others).toHaveLength(200);
  expect(others.map(({ labels }) => labels.worker).slice(0, 3)).toEqual(["worker-0", "worker-1", "worker-10"]);
});

test("a worker on the coordinator's machine is where Prometheus finds the coordinator", () => {
  const workers = [fakeWorker("here", { metricsAddress: "127.0.0.1:7702" })];
  const seenAs = (self: string) => scrapeTargets(fakeStatus({ workers }), self)[1]!.targets;
  expect(["trainer:7701", "10.0.0.5", "[fd00::5]:7701", "[fd00::5]", "localhost:7701"].map(seenAs)).toEqual([
    ["trainer:7702"],
    ["10.0.0.5:7702"],
    ["[fd00::5]:7702"],
    ["[fd00::5]:7702"],
    ["127.0.0.1:7702"],
  ]);
});
