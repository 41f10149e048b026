import { expect, test } from "vitest";
import { scrapeAddress } from "./scrape-address.js";

test.each([
  ["worker-3:7702", "10.0.0.9:50123", "10.0.0.9:7702"],
  ["169.254.169.254:80", "10.0.0.9:50123", "10.0.0.9:80"],
  ["10.0.0.9:7702", "[::ffff:10.0.0.9]:50123", "10.0.0.9:7702"],
  ["[::1]:7702", "[fd00::9]:50123", "[fd00::9]:7702"],
  ["worker-3", "10.0.0.9:50123", ""],
  ["worker-3:0", "10.0.0.9:50123", ""],
  ["worker-3:70000", "10.0.0.9:50123", ""],
])("metrics told at %s by %s are scraped at '%s'", (told, peer, expected) => {
  expect(scrapeAddress(told, peer, [])).toBe(expected);
});

test("a host that is allowed may be named, and nothing that only looks like one", () => {
  const allowed = ["*.workers.example", "10.0.0.7"];
  const told = ["a.workers.example:7702", "10.0.0.7:7702", "a.workers.example.evil:80", "evil/.workers.example:80"];
  const scraped = told.map((address) => scrapeAddress(address, "10.1.1.1:5000", allowed));
  expect(scraped).toEqual(["a.workers.example:7702", "10.0.0.7:7702", "10.1.1.1:80", "10.1.1.1:80"]);
});
