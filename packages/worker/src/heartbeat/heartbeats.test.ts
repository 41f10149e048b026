import { heartbeatFromBytes, type WorkerHeartbeat } from "@mzsr/shared";
import { afterEach, describe, expect, it } from "vitest";
import { BusyRatio } from "./busy-ratio.js";
import { Heartbeats } from "./heartbeats.js";

const beat: WorkerHeartbeat = {
  worker: "w 1",
  incarnation: "i",
  at: 5,
  busySlots: 1,
  slots: 2,
  backend: "cpu",
  tasksDone: 7,
  busyRatio: 0.5,
  rssBytes: 1,
};

let running: Heartbeats | undefined;
afterEach(() => running?.stop());

/** Beats by hand: the interval is an hour. */
function start(patience: number, nats?: { up: boolean }) {
  const published: string[] = [];
  const publish = (subject: string, data: Uint8Array) => {
    if (nats?.up) published.push(`${subject} ${heartbeatFromBytes(data).tasksDone}`);
    return nats?.up ?? false;
  };
  running = new Heartbeats({
    run: "r",
    worker: "w 1",
    seconds: 3600,
    patience,
    nats: nats && { publish },
    read: () => beat,
  });
  return { heartbeats: running, published };
}

const streamed = (heartbeats: Heartbeats, count: number) =>
  Array.from({ length: count }, () => heartbeats.goesOverStream());

describe("heartbeats", () => {
  it("go over NATS, and over the stream twice within the coordinator's patience", () => {
    const { heartbeats, published } = start(6, { up: true });
    heartbeats.beat();
    expect(published).toEqual(["mzsr.r.heartbeat.w=201 7", "mzsr.r.heartbeat.w=201 7"]);
    expect(streamed(heartbeats, 6)).toEqual([false, false, true, false, false, true]);
  });

  it("all go over the stream while NATS is away, and return to NATS with it", () => {
    const nats = { up: false };
    const { heartbeats, published } = start(8, nats);
    expect(streamed(heartbeats, 3)).toEqual([true, true, true]);
    nats.up = true;
    heartbeats.beat();
    expect(published.length).toBe(1);
    expect(streamed(heartbeats, 1)).toEqual([false]);
  });

  it("all go over the stream where there is no NATS, and where the coordinator is impatient", () => {
    expect(streamed(start(5).heartbeats, 2)).toEqual([true, true]);
    expect(streamed(start(2, { up: true }).heartbeats, 2)).toEqual([true, true]);
  });
});

describe("the busy ratio", () => {
  it("is the share of the slots' time since the last look", () => {
    let [now, busy] = [100, 7];
    const ratio = new BusyRatio(
      () => now,
      () => busy,
    );
    [now, busy] = [110, 22];
    expect(ratio.sample(2)).toBe(0.75);
    expect(ratio.sample(2)).toBe(0.75);
    [now, busy] = [120, 22];
    expect(ratio.sample(2)).toBe(0);
    expect(ratio.last).toBe(0);
  });
});
