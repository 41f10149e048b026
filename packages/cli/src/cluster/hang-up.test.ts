import { expect, test } from "vitest";
import { hangUpIgnored, type StartFacts } from "./hang-up.js";

const USUAL: StartFacts = {
  startedAs: "/usr/bin/node",
  status: "Name:\tnode\nSigIgn:\t0000000000001000\n",
  input: "/dev/null",
  inputInfo: "pos:\t0\nflags:\t0100000\n",
};

test("a command that was started in the usual way handles SIGHUP, also where nothing is known of its start", () => {
  expect(hangUpIgnored(USUAL)).toBe(false);
  expect(hangUpIgnored({ startedAs: undefined, status: "", input: "", inputInfo: "" })).toBe(false);
  expect(hangUpIgnored({ ...USUAL, startedAs: "/home/me/not-nohup" })).toBe(false);
  expect(hangUpIgnored({ ...USUAL, input: "/home/me/notes", inputInfo: "pos:\t0\nflags:\t0100001\n" })).toBe(false);
});

test("nohup is known by the name that shells leave, by its input, and by the kernel's record", () => {
  expect(hangUpIgnored({ ...USUAL, startedAs: "/usr/bin/nohup" })).toBe(true);
  expect(hangUpIgnored({ ...USUAL, inputInfo: "pos:\t0\nflags:\t0100001\n" })).toBe(true);
  expect(hangUpIgnored({ ...USUAL, status: "SigIgn:\t0000000000001001\n" })).toBe(true);
});
