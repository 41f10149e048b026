import { expect, test } from "vitest";
import { httpGuardFrom, leadsHere } from "./http-access.js";

test("the secret of the page is shown to no address elsewhere that a run folder names", () => {
  const urls = ["http://127.0.0.1:7701", "http://[::1]:7701/", "http://localhost:7701"];
  expect(urls.map(leadsHere)).toEqual([true, true, true]);
  const elsewhere = [
    "http://192.0.2.1:7701",
    "http://127.0.0.1.evil.example",
    "http://localhost@evil.example",
    "http://evil",
  ];
  expect(elsewhere.map(leadsHere)).toEqual([false, false, false, false]);
});

test("what a coordinator advertises is a name of its page", () => {
  expect(httpGuardFrom({ allowedHosts: " a.example , *.b.example" }, ["c.example", undefined]).allowedHosts).toEqual([
    "a.example",
    "*.b.example",
    "c.example",
  ]);
});
