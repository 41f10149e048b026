import { expect, test } from "vitest";
import { isOpen, reachableAddress } from "./reachable.js";

test("beyond this machine, whoever may join must be said: by a token, by an authority, or that anybody may", () => {
  for (const host of ["127.0.0.1", "127.1.2.3", "::1", "localhost"]) expect(isOpen({ host }), host).toBe(false);
  for (const host of ["0.0.0.0", "::", "10.0.0.5", "trainer.example"]) {
    expect(() => isOpen({ host }), host).toThrow(/could join.*expected a token .*--insecure/);
    expect(() => isOpen({ host, tls: {} }), "TLS that asks workers for nothing").toThrow(/--tls-ca/);
    expect(isOpen({ host, token: "secret" })).toBe(false);
    expect(isOpen({ host, tls: { clientCaFile: "ca.pem" } })).toBe(false);
    expect(isOpen({ host, insecure: true })).toBe(true);
  }
});

const ethernet = (family: "IPv4" | "IPv6", address: string, more = {}) =>
  ({ family, address, internal: false, netmask: "", mac: "", cidr: null, scopeid: 0, ...more }) as never;

test("an address that others can use stands for all interfaces", () => {
  const interfaces = {
    lo: [ethernet("IPv4", "127.0.0.1", { internal: true })],
    eth0: [ethernet("IPv6", "fe80::1", { scopeid: 2 }), ethernet("IPv4", "10.0.0.5")],
  };
  expect(reachableAddress("0.0.0.0:7700", interfaces)).toBe("10.0.0.5:7700");
  expect(reachableAddress("[::]:7700", interfaces)).toBe("10.0.0.5:7700");
  expect(reachableAddress("192.168.1.2:7700", interfaces)).toBe("192.168.1.2:7700");
  expect(reachableAddress("[::]:7700", { eth0: [ethernet("IPv6", "2001:db8::1")] })).toBe("[2001:db8::1]:7700");
  expect(reachableAddress("0.0.0.0:7700", {})).toBe("0.0.0.0:7700");
});
