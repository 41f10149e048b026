/**
 * The live stream: server-sent events with reconnection of our own, because a browser's EventSource gives up for good
 * when a restarting coordinator (or a proxy before it) answers once with an error.
 */
import type { StreamMessages } from "@mzsr/shared";

const FIRST_RETRY_MS = 500;
const LONGEST_RETRY_MS = 5000;

export type StreamHandlers = { readonly [Name in keyof StreamMessages]: (message: StreamMessages[Name]) => void };

/** The part of EventSource that is used here. */
export interface MessageSource {
  addEventListener(name: string, listener: (event: { readonly data?: string }) => void): void;
  close(): void;
}

export interface FeedOptions {
  readonly open: () => MessageSource;
  readonly handlers: StreamHandlers;
  readonly onOpen: () => void;
  readonly onLost: () => void;
  /** Runs a function after some milliseconds. */
  readonly later: (run: () => void, ms: number) => void;
  /** Uniform in [0, 1). */
  readonly random: () => number;
}

/** Keeps a stream open until the returned function is called. */
export function openFeed({ open, handlers, onOpen, onLost, later, random }: FeedOptions): () => void {
  let source: MessageSource | undefined;
  let failures = 0;
  let ended = false;

  const connect = () => {
    if (ended) return;
    const opened = open();
    source = opened;
    opened.addEventListener("open", () => {
      failures = 0;
      onOpen();
    });
    opened.addEventListener("error", () => {
      if (source !== opened) return;
      source = undefined;
      opened.close();
      onLost();
      later(connect, retryDelayMs(failures++, random()));
    });
    for (const [name, handle] of Object.entries(handlers) as [string, (message: unknown) => void][]) {
      opened.addEventListener(name, ({ data }) => {
        if (data !== undefined) handle(JSON.parse(data));
      });
    }
  };

  connect();
  return () => {
    ended = true;
    source?.close();
  };
}

/** Doubles with every failure; up to half of it at random, so that many open pages don't all come back at once. */
export function retryDelayMs(failures: number, random: number): number {
  const longest = Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** failures);
  return longest * (0.5 + 0.5 * random);
}
