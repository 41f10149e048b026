import type { LeaderEntry, LeaderRecord } from "@mzsr/shared";
import { expect, test } from "vitest";
import { LeaderElection } from "./leader-election.js";

function entry(revision: number, state: LeaderRecord["state"] = "leading"): LeaderEntry {
  const addresses = { grpcAddress: "a:1", httpAddress: "a:2" };
  return { revision, record: { holder: "a", state, ...addresses, leaseMs: 1000, checkpoint: null } };
}

test("a run that nobody led yet is led by who comes first", () => {
  expect(new LeaderElection().next(undefined, 0)).toMatchObject({ move: "claim" });
});

test("a leader that shows signs of life is left alone for ever", () => {
  const election = new LeaderElection();
  for (let i = 0; i < 100; i++) expect(election.next(entry(i), 999 * i)).toEqual({ move: "wait" });
});

test("silence counts from when the newest sign of life was seen, not from when it was given", () => {
  const election = new LeaderElection();
  election.next(entry(7), 5000);
  expect(election.next(entry(7), 5999).move).toBe("wait");
  expect(election.next(entry(8), 6001).move).toBe("wait");
  expect(election.next(entry(8), 7000).move).toBe("wait");
  expect(election.next(entry(8), 7001)).toMatchObject({ move: "claim" });
});

test("a leader that stepped down is followed at once, and a finished run is left alone", () => {
  expect(new LeaderElection().next(entry(3, "released"), 0)).toMatchObject({ move: "claim" });
  expect(new LeaderElection().next(entry(3, "finished"), 0)).toMatchObject({ move: "finished" });
});
