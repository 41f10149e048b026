import type { RunEventRecord } from "@mzsr/shared";
import { describe, expect, it } from "vitest";
import { listed, withHeard } from "./event-list.js";

let at = 0;
function happened(kind: RunEventRecord["kind"], reason = "", more: Partial<RunEventRecord> = {}): RunEventRecord {
  return { at: ++at, kind, reason, ...more };
}

const EVENTS = [
  happened("join", "host", { worker: "a" }),
  happened("checkpoint", "interval", { step: 10 }),
  happened("checkpoint", "interval", { step: 20 }),
  happened("checkpoint", "interval", { step: 30 }),
  happened("lost", "silent", { worker: "a" }),
  happened("checkpoint", "could not be written (disk full)", { step: 40 }),
  happened("checkpoint", "interval", { step: 50 }),
];

it("has each event once, whether it was fetched, heard or both", () => {
  const [a, b, c] = [happened("join", "host", { worker: "a" }), happened("lost", "silent"), happened("stop", "asked")];
  const copy = { reason: b.reason, kind: b.kind, at: b.at };
  expect(withHeard([a, b], [copy, c])).toEqual([a, b, c]);
  expect(withHeard([], [a, b])).toEqual([a, b]);
  expect(withHeard([a, b], [])).toEqual([a, b]);
});

describe("listed", () => {
  it("puts the newest first and brings repetitions together under the newest of them", () => {
    expect(listed(EVENTS, false).map(({ event, times }) => [event.kind, event.step, times])).toEqual([
      ["checkpoint", 50, 1],
      ["checkpoint", 40, 1],
      ["lost", undefined, 1],
      ["checkpoint", 30, 3],
      ["join", undefined, 1],
    ]);
  });

  it("shows only trouble when asked, a checkpoint that failed among it", () => {
    expect(listed(EVENTS, true).map(({ event }) => event.reason)).toEqual([
      "could not be written (disk full)",
      "silent",
    ]);
  });

  it("never brings two joins together", () => {
    const joins = [happened("join", "host", { worker: "a" }), happened("join", "host", { worker: "a" })];
    expect(listed(joins, false)).toHaveLength(2);
  });

  it("tells once of a crowd to whose workers the same happens, and singly of a few", () => {
    const joins = Array.from({ length: 100 }, (_, n) => happened("join", "host", { worker: `w-${n}` }));
    const losses = Array.from({ length: 5 }, (_, n) => happened("lost", "silent", { worker: `w-${n}` }));
    const list = listed([...joins, ...losses], false);
    expect(list.map(({ event, crowd }) => [event.kind, event.worker, crowd?.length])).toEqual([
      ...[4, 3, 2, 1, 0].map((n) => ["lost", `w-${n}`, undefined]),
      ["join", "w-99", 100],
    ]);
    expect(list.at(-1)!.crowd!.slice(0, 2)).toEqual(["w-0", "w-1"]);
  });
});
