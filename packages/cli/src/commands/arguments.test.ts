import { expect, it } from "vitest";
import { hostAndPort } from "./arguments.js";

it("takes the usual port for a coordinator that is named by its host alone", () => {
  expect(["10.0.0.5", "gpu-1.example.org", "[fd00::5]"].map(hostAndPort)).toEqual([
    "10.0.0.5:7700",
    "gpu-1.example.org:7700",
    "[fd00::5]:7700",
  ]);
  expect(["10.0.0.5:1", "[fd00::5]:65535"].map(hostAndPort)).toEqual(["10.0.0.5:1", "[fd00::5]:65535"]);
});

it.each(["", "http://10.0.0.5", "10.0.0.5:", "10.0.0.5:0", "10.0.0.5:65536", "fd00::5", "a b", "[x]:1"])(
  "refuses %j as the place of a coordinator",
  (text) => {
    expect(() => hostAndPort(text)).toThrow(/host:port/);
  },
);
