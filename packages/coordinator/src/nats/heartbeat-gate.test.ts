import { heartbeatSubject } from "@mzsr/shared";
import { expect, test } from "vitest";
import { HeartbeatGate } from "./heartbeat-gate.js";

function gateFor(...workers: string[]) {
  const clock = { nowMs: 0 };
  const gate = new HeartbeatGate(
    "a run",
    (name) => workers.includes(name),
    () => workers.length,
    () => clock.nowMs,
  );
  const verdicts = (worker: string, count: number) => {
    const all = Array.from({ length: count }, () => gate.judge(heartbeatSubject("a run", worker)));
    return Object.fromEntries(
      ["read", "drop", "flood"].map((kind) => [kind, all.filter((each) => each === kind).length]),
    );
  };
  return { clock, verdicts, gate };
}

test("a worker that is there is heard five times a second, whatever comes under its name and others'", () => {
  const { clock, verdicts } = gateFor("ä worker", "b");
  for (let second = 0; second < 3; second++) {
    clock.nowMs = 1000 * second;
    expect(verdicts("ä worker", 7)).toEqual({ read: 5, drop: 2, flood: 0 });
    expect(verdicts("stranger", 50)).toEqual({ read: 0, drop: 50, flood: 0 });
    expect(verdicts("b", 1)).toEqual({ read: 1, drop: 0, flood: 0 });
  }
});

test("more than all workers together would send is a flood, until the next second", () => {
  const { clock, verdicts } = gateFor("a", "b");
  expect(verdicts("stranger", 2000)).toEqual({ read: 0, drop: 1020, flood: 980 });
  clock.nowMs = 1000;
  expect(verdicts("a", 1)).toEqual({ read: 1, drop: 0, flood: 0 });
});

test("what is no heartbeat of this run is dropped", () => {
  const { gate } = gateFor("a");
  const subjects = [
    "",
    "mzsr.other.heartbeat.a",
    "mzsr.a=20run.heartbeat.=ZZ",
    "mzsr.a=20run.heartbeat.a.b",
    "mzsr.a=20run.status",
  ];
  expect(subjects.map((subject) => gate.judge(subject))).toEqual(subjects.map(() => "drop"));
});
