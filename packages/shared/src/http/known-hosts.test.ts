import { expect, test } from "vitest";
import { KnownHosts } from "./known-hosts.js";

const SAFE = [
  "127.0.0.1:7701",
  "[::1]:7701",
  "10.0.0.5",
  "localhost:7701",
  "run.localhost",
  "trainer",
  "trainer.local",
];
const SERVICES = ["coordinator:7701", "mzsr.training.svc", "mzsr.training.svc.cluster.local:7701", "a.c.b.internal"];
const STRANGE = [
  "evil.example",
  "evil.example:7701",
  "localhost.evil.example",
  "127.0.0.1.evil.example",
  "coordinator.dev",
  "",
];

test("addresses and the machine's own names are known, whatever is listened on", () => {
  for (const listensOn of ["127.0.0.1", "0.0.0.0", "::"]) {
    const hosts = new KnownHosts(listensOn, [], "Trainer.example.org");
    expect(SAFE.filter((host) => !hosts.accepts(host))).toEqual([]);
    expect(hosts.accepts("trainer.example.org.:7701")).toBe(true);
    expect(hosts.accepts(undefined)).toBe(true);
  }
});

test("names of containers and services are known where others can connect, and not on loopback", () => {
  const [everywhere, here] = [new KnownHosts("0.0.0.0", [], "t"), new KnownHosts("127.0.0.1", [], "t")];
  expect(SERVICES.map((host) => everywhere.accepts(host))).toEqual(SERVICES.map(() => true));
  expect(SERVICES.map((host) => here.accepts(host))).toEqual(SERVICES.map(() => false));
});

test("a name that somebody can register is known only when it is allowed", () => {
  const hosts = new KnownHosts("0.0.0.0", [], "t");
  expect(STRANGE.filter((host) => hosts.accepts(host))).toEqual([]);
  const allowed = new KnownHosts("127.0.0.1", ["runs.example", "*.lab.example"], "t");
  expect(["runs.example:7701", "A.LAB.example"].map((host) => allowed.accepts(host))).toEqual([true, true]);
  expect(["lab.example", "xruns.example", "evil.example"].map((host) => allowed.accepts(host))).toEqual([
    false,
    false,
    false,
  ]);
  expect(new KnownHosts("127.0.0.1", ["*"]).accepts("evil.example")).toBe(true);
});
