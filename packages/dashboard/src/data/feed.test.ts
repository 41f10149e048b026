import type { RunEventRecord, StreamMessages } from "@mzsr/shared";
import { describe, expect, it } from "vitest";
import { type MessageSource, openFeed, retryDelayMs, type StreamHandlers } from "./feed.js";

class FakeSource implements MessageSource {
  closed = false;
  readonly #listeners = new Map<string, (event: { readonly data?: string }) => void>();

  addEventListener(name: string, listener: (event: { readonly data?: string }) => void): void {
    this.#listeners.set(name, listener);
  }

  close(): void {
    this.closed = true;
  }

  emit(name: string, data?: unknown): void {
    this.#listeners.get(name)?.(data === undefined ? {} : { data: JSON.stringify(data) });
  }
}

function openFake() {
  const sources: FakeSource[] = [];
  const waiting: { run: () => void; ms: number }[] = [];
  const seen: string[] = [];
  const note = (name: keyof StreamMessages) => () => void seen.push(name);
  const handlers: StreamHandlers = {
    status: note("status"),
    step: note("step"),
    event: (event) => void seen.push(event.reason),
    validation: note("validation"),
    preview: note("preview"),
    end: note("end"),
  };
  const close = openFeed({
    open: () => {
      const source = new FakeSource();
      sources.push(source);
      return source;
    },
    handlers,
    onOpen: () => void seen.push("open"),
    onLost: () => void seen.push("lost"),
    later: (run, ms) => void waiting.push({ run, ms }),
    random: () => 1,
  });
  return { sources, waiting, seen, close };
}

describe("openFeed", () => {
  it("hands messages to their handlers", () => {
    const { sources, seen } = openFake();
    sources[0]!.emit("open");
    sources[0]!.emit("event", { at: 1, kind: "join", reason: "hello" } satisfies RunEventRecord);
    expect(seen).toEqual(["open", "hello"]);
  });

  it("opens anew after an error, later each time, and at once the old pace after a success", () => {
    const { sources, waiting, seen } = openFake();
    sources[0]!.emit("error");
    expect(sources[0]!.closed).toBe(true);
    waiting[0]!.run();
    sources[1]!.emit("error");
    waiting[1]!.run();
    expect(waiting.map(({ ms }) => ms)).toEqual([500, 1000]);
    sources[2]!.emit("open");
    sources[2]!.emit("error");
    expect(waiting[2]!.ms).toBe(500);
    expect(seen).toEqual(["lost", "lost", "open", "lost"]);
  });

  it("stays closed once closed", () => {
    const { sources, waiting, close } = openFake();
    sources[0]!.emit("error");
    close();
    waiting[0]!.run();
    expect(sources).toHaveLength(1);
  });
});

describe("retryDelayMs", () => {
  it("doubles up to five seconds, half of it at random", () => {
    expect([0, 1, 2, 3, 4, 20].map((failures) => retryDelayMs(failures, 1))).toEqual([
      500, 1000, 2000, 4000, 5000, 5000,
    ]);
    expect(retryDelayMs(2, 0)).toBe(1000);
  });
});
