import type { ClusterStatus, WorkerStatus } from "@mzsr/shared";
import { describe, expect, it } from "vitest";
import { LiveDisplay } from "./live-display.js";
import { duration, significant } from "./numbers.js";
import { statusLine, statusLines } from "./status-text.js";
import { Terminal } from "./terminal.js";

function status(changes: Partial<ClusterStatus> = {}): ClusterStatus {
  const worker = {
    worker: "a",
    state: "active",
    reason: "",
    backend: "simd",
    slots: 2,
    busySlots: 1,
    host: "h",
  } as const;
  return {
    run: "r",
    phase: "training",
    stage: "metaTraining",
    step: 130,
    totalSteps: 200,
    stageStep: 30,
    stageSteps: 100,
    losses: { supportBefore: 0.04, queryBefore: 0.04, queryAfter: 0.03 },
    tasksPerSecond: 6.125,
    secondsPerStep: 0.5,
    secondsLeft: 190,
    backend: "simd",
    workers: [
      {
        ...worker,
        metricsAddress: "",
        tasksDone: 7,
        tasksFailed: 0,
        secondsPerTask: 0.31,
        lastHeartbeatAgoSeconds: 1,
        since: 0,
      },
    ],
    leases: { pending: 0, leased: 1, done: 1, backup: 0, audit: 0 },
    counters: {},
    ...changes,
  };
}

/** Erase a line, go up, a line break, or text. */
const TOKENS = /⎋2K|⎋\d+A|\n|[^⎋\n]+/g;

/** A terminal that keeps what it was sent; carries out just the control sequences that the display uses. */
function screen(isTTY: boolean) {
  let written = "";
  const stream = { isTTY, columns: 80, write: (text: string) => (written += text) };
  const lines = () => {
    const rows: string[] = [""];
    let row = 0;
    for (const [token] of written.replaceAll("\x1b[", "⎋").matchAll(TOKENS)) {
      if (token === "\n") rows[++row] ??= "";
      else if (token === "⎋2K") rows[row] = "";
      else if (token.startsWith("⎋")) row -= Number.parseInt(token.slice(1), 10);
      else rows[row] += token;
    }
    return rows.filter((line) => line !== "");
  };
  return { terminal: new Terminal(stream, stream), lines };
}

describe("the live display", () => {
  it("draws over itself on a terminal and leaves notes above", () => {
    const { terminal, lines } = screen(true);
    const display = new LiveDisplay(terminal);
    display.show(status({ stageStep: 1 }), 0);
    display.note("worker-1 died");
    display.show(status({ stageStep: 2, workers: [] }), 250);
    expect(lines()[0]).toBe("worker-1 died");
    expect(lines().filter((line) => line.includes("meta-training"))).toHaveLength(1);
    expect(lines()[1]).toContain("2/100");
    expect(lines()).toHaveLength(4);
    display.clear();
    expect(lines()).toEqual(["worker-1 died"]);
  });

  it("prints a plain line now and then elsewhere, and whenever the stage changes", () => {
    const { terminal, lines } = screen(false);
    const display = new LiveDisplay(terminal);
    display.show(status({ stage: "pretraining" }), 0);
    display.show(status({ stage: "pretraining" }), 1_000);
    display.show(status(), 2_000);
    display.show(status(), 11_999);
    display.show(status(), 12_000);
    expect(lines()).toHaveLength(3);
  });
});

describe("a status as text", () => {
  it("says stage, step, both losses, rate, workers and time left", () => {
    expect(statusLine(status())).toBe(
      "meta-training 30/100 · loss 0.04000 → 0.03000 by adaptation (−25.0 %) · 6.13 tasks/s · 1 worker · 3 min 10 s left",
    );
    expect(statusLine(status({ stage: "pretraining" }))).toContain("pretraining 30/100 · loss 0.04000 ·");
  });

  it("says so when adaptation makes it worse, and when nobody knows yet", () => {
    expect(statusLine(status({ losses: { supportBefore: 1, queryBefore: 0.02, queryAfter: 0.03 } }))).toContain(
      "(+50.0 %)",
    );
    const unknown = { supportBefore: null, queryBefore: null, queryAfter: null };
    const early = status({ phase: "waiting", losses: unknown, tasksPerSecond: null, secondsLeft: null, workers: [] });
    expect(statusLine(early)).toBe("meta-training 30/100 · waiting · 0 workers");
  });

  it("names a lost worker's reason and leaves out those that left", () => {
    const [worker] = status().workers;
    const workers = [
      { ...worker!, state: "lost" as const, reason: "no heartbeat for 5 s" },
      { ...worker!, worker: "b", state: "gone" as const },
    ];
    const text = statusLines(status({ workers })).join("\n");
    expect(text).toContain("lost (no heartbeat for 5 s)");
    expect(text).not.toContain("\n  b  ");
  });

  it("lists workers in the order of their numbers", () => {
    const [worker] = status().workers;
    const workers = [30, 2, 1].map((n) => ({ ...worker!, worker: `worker-${n}` }));
    const lines = statusLines(status({ workers }));
    expect(lines.slice(3).map((line) => line.split(" ")[2])).toEqual(["worker-1", "worker-2", "worker-30"]);
  });

  it("sums up hundreds of workers and names those worth a look, or all when asked", () => {
    const [worker] = status().workers;
    const unusual = new Map<number, Partial<WorkerStatus>>([
      [7, { state: "quarantined", reason: "not finite", busySlots: 0 }],
      [100, { reason: "on trial: it did not answer", busySlots: 0 }],
      [200, { state: "lost", reason: "no heartbeat for 5 s", busySlots: 0 }],
    ]);
    const workers = Array.from({ length: 300 }, (_, n) => {
      const usual = { ...worker!, worker: `worker-${n}`, slots: 2, busySlots: 2, secondsPerTask: n === 42 ? 9 : 1 };
      return { ...usual, ...unusual.get(n) };
    });
    const lines = statusLines(status({ workers }));
    expect(lines[3]).toBe(
      "  297 active, 1 quarantined, 1 on trial, 1 lost; 594/596 slots busy; a task takes 1.00 to 9.00 s, usually 1.00 s",
    );
    expect(lines[4]).toMatch(/^ {2}worker-7 {2}quarantined \(not finite\)/);
    expect(lines[5]).toMatch(/^ {2}worker-100 {2}active \(on trial: it did not answer\)/);
    expect(lines[6]).toMatch(/^ {2}worker-200 {2}lost \(no heartbeat/);
    expect(lines[7]).toMatch(/^ {2}worker-42 .*9\.00 s a task/);
    expect(lines.slice(16)).toEqual(["  and 288 more"]);
    const all = statusLines(status({ workers }), { all: true });
    expect(all.slice(3)).toHaveLength(300);
    expect(all.at(-1)).toMatch(/^ {2}worker-299 /);
  });
});

it("says durations and numbers as people do", () => {
  expect([0.04, 9.96, 61, 3_700, 100_000].map(duration)).toEqual([
    "0.0 s",
    "10.0 s",
    "1 min 01 s",
    "1 h 02 min",
    "1 d 4 h",
  ]);
  expect([0.031415, 1234.5, 1e-7, null, Number.NaN].map((n) => significant(n))).toEqual([
    "0.03141",
    "1235",
    "1.000e-7",
    "–",
    "–",
  ]);
});
