import { EventEmitter } from "node:events";
import { expect, it } from "vitest";
import { type StopSignal, StopSignals } from "./stop-signals.js";

/** Signals from a source of its own, each more than a second after the one before. */
function signalled(ignoreHangUp = false) {
  const source = new EventEmitter();
  let nowMs = 0;
  const signals = new StopSignals(source, () => nowMs, ignoreHangUp);
  const send = (signal: StopSignal = "SIGTERM", afterMs = 1_000) => {
    nowMs += afterMs;
    source.emit(signal);
  };
  return { source, signals, send };
}

it("a signal that comes before the start is done is taken when it is", async () => {
  const { signals, send } = signalled();
  send();
  expect(signals.asked.aborted).toBe(true);
  expect(await signals.duringStart(Promise.resolve("started"))).toBe("started");
  const counts: number[] = [];
  signals.take((count) => counts.push(count));
  send("SIGINT");
  expect(counts).toEqual([1, 2]);
});

it("a second signal does not wait for the start", async () => {
  const { signals, send } = signalled();
  const start = signals.duringStart(new Promise(() => undefined));
  send();
  send();
  await expect(start).rejects.toThrow("stopped at once, while starting");
});

it("signals within a moment are one wish, and none is heard after the end", () => {
  const { source, signals, send } = signalled();
  const counts: number[] = [];
  signals.take((count) => counts.push(count));
  send("SIGINT");
  send("SIGTERM", 10);
  expect(counts).toEqual([1]);
  signals.close();
  expect(source.eventNames()).toEqual([]);
});

it("a closed terminal asks to stop, and however often it is told never to hurry", () => {
  const { signals, send } = signalled();
  const counts: number[] = [];
  signals.take((count) => counts.push(count));
  send("SIGHUP");
  send("SIGHUP");
  expect(counts).toEqual([1]);
  send("SIGTERM");
  send("SIGHUP");
  expect(counts).toEqual([1, 2]);
});

it("SIGHUP is nobody's wish where it is ignored", () => {
  const { source } = signalled(true);
  expect(source.eventNames()).toEqual(["SIGINT", "SIGTERM"]);
});
