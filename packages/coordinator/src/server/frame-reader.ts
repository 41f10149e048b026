/**
 * Puts a gRPC stream's messages together as they arrive.
 *
 * HTTP/2 brings 900 KB of gradient in 55 pieces. grpc-js keeps the pieces until the last one is there and copies them
 * then: what arrives from many workers at once is in memory twice, and has left the processor's cache when it is copied.
 * Here each piece is copied to its place when it comes, and what may not come (a message that is too large, or compressed: 61 KiB
 * of gzip may hold 60 MiB) is refused when the first five bytes of it are there.
 */
import type { MessageMemory } from "./message-memory.js";

/** A flag (whether the message is compressed) and the message's length. */
export const PREFIX_BYTES = 5;

/** What a message may not be. */
export type Violation = "too-large" | "compressed";

/** What a reader does with its stream. */
export interface Flow {
  /** No more bytes for now. */
  pause(): void;
  /** There may be room now: takes the pieces that came before the stream paused once more, then those after. */
  resume(pieces: readonly Buffer[]): void;
  /** A message comes that may not: the stream is to end. Nothing more of it is read. */
  refuse(violation: Violation, reason: string): void;
}

export class FrameReader {
  #maxBytes: number;
  readonly #memory: MessageMemory;
  readonly #flow: Flow;
  readonly #prefix = Buffer.alloc(PREFIX_BYTES);
  /** The frame that is being filled; undefined while its length is not known, or there is no memory for it. */
  #frame: Buffer | undefined;
  /** Bytes of the frame, or of its prefix, that are there. */
  #filled = 0;
  /** Frames that were put together and not read yet. */
  readonly #unread: Buffer[] = [];
  /** What came while there was no memory; undefined while there is. */
  #pieces: Buffer[] | undefined;
  #stopWaiting: (() => void) | undefined;
  #closed = false;

  /** @param maxBytes largest message that may come */
  constructor(maxBytes: number, memory: MessageMemory, flow: Flow) {
    this.#maxBytes = maxBytes;
    this.#memory = memory;
    this.#flow = flow;
  }

  /** Messages may be as large as this from now on, in bytes. */
  allow(maxBytes: number): void {
    this.#maxBytes = maxBytes;
  }

  /** Takes the stream's next bytes. Returns the frames (prefix and message) that are complete now, each in memory of its own. */
  write(data: Buffer): Buffer[] {
    if (this.#closed) return [];
    if (this.#pieces !== undefined) {
      this.#wait([...this.#pieces, data]);
      return [];
    }
    const complete: Buffer[] = [];
    for (let at = 0; ; ) {
      if (this.#frame === undefined && this.#filled === PREFIX_BYTES) {
        if (this.#refused()) return complete;
        if (!this.#begin()) {
          this.#wait([data.subarray(at)]);
          return complete;
        }
      }
      if (this.#filled === this.#frame?.length) {
        complete.push(this.#frame);
        this.#unread.push(this.#frame);
        this.#frame = undefined;
        this.#filled = 0;
      }
      if (at === data.length) return complete;
      const target = this.#frame ?? this.#prefix;
      const end = Math.min(data.length, at + target.length - this.#filled);
      data.copy(target, this.#filled, at, end);
      this.#filled += end - at;
      at = end;
    }
  }

  /** The oldest frame that was put together has been read, and nobody has a view of it any more. */
  release(): void {
    const frame = this.#unread.shift();
    if (frame !== undefined) this.#memory.release(frame);
  }

  /** The stream is over: what has not arrived or not been read counts no more. */
  close(): void {
    this.#closed = true;
    this.#stopWaiting?.();
    this.#pieces = undefined;
    for (const frame of this.#unread.splice(0)) this.#memory.abandon(frame);
    if (this.#frame !== undefined) this.#memory.abandon(this.#frame);
    this.#frame = undefined;
  }

  /** Whether the message whose prefix is there may not come; the stream is told so. */
  #refused(): boolean {
    const bytes = this.#prefix.readUInt32BE(1);
    const violation = this.#prefix[0] !== 0 ? "compressed" : bytes > this.#maxBytes ? "too-large" : undefined;
    if (violation === undefined) return false;
    this.close();
    this.#flow.refuse(
      violation,
      violation === "compressed"
        ? "compressed messages are not taken; send them as they are"
        : `a message of ${bytes} bytes is larger than any may be here (${this.#maxBytes})`,
    );
    return true;
  }

  /** Returns whether there is memory for the frame whose prefix is there; if not, waits for it. */
  #begin(): boolean {
    const bytes = this.#prefix.readUInt32BE(1);
    const memory = this.#memory.take(PREFIX_BYTES + bytes);
    if (memory === undefined) this.#stopWaiting = this.#memory.wait(PREFIX_BYTES + bytes, (given) => this.#goOn(given));
    else this.#fill(memory);
    return memory !== undefined;
  }

  #fill(memory: Buffer): void {
    this.#prefix.copy(memory);
    this.#frame = memory;
  }

  #wait(pieces: Buffer[]): void {
    this.#pieces = pieces;
    this.#flow.pause();
  }

  #goOn(memory: Buffer): void {
    const pieces = this.#pieces ?? [];
    this.#pieces = undefined;
    this.#stopWaiting = undefined;
    this.#fill(memory);
    this.#flow.resume(pieces);
  }
}
