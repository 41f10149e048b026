/**
 * Puts a gRPC stream's messages together as they arrive.
 *
 * HTTP/2 brings 900 KB of gradient in 55 pieces. grpc-js keeps the pieces until the last one is there and copies them
 * then: what arrives from many workers at once is in memory twice, and has left the processor's cache when it is copied.
 * Here each piece is copied to its place when it comes.
 */
import type { MessageMemory } from "./message-memory.js";

/** A flag (whether the message is compressed) and the message's length. */
export const PREFIX_BYTES = 5;

/** What a reader that has to wait for memory does with its stream. */
export interface Flow {
  /** No more bytes for now. */
  pause(): void;
  /** There may be room now: takes the pieces that came before the stream paused once more, then those after. */
  resume(pieces: readonly Buffer[]): void;
}

export class FrameReader {
  readonly #maxBytes: number;
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

  /** @param maxBytes largest message that may come; -1 for any */
  constructor(maxBytes: number, memory: MessageMemory, flow: Flow) {
    this.#maxBytes = maxBytes;
    this.#memory = memory;
    this.#flow = flow;
  }

  /**
   * Takes the stream's next bytes. Returns the frames (prefix and message) that are complete now, each in memory of its own.
   * @throws Error when a message will be larger than it may be
   */
  write(data: Buffer): Buffer[] {
    if (this.#pieces !== undefined) {
      this.#wait([...this.#pieces, data]);
      return [];
    }
    const complete: Buffer[] = [];
    for (let at = 0; ; ) {
      if (this.#frame === undefined && this.#filled === PREFIX_BYTES && !this.#begin()) {
        this.#wait([data.subarray(at)]);
        return complete;
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
    this.#stopWaiting?.();
    for (const frame of this.#unread.splice(0)) this.#memory.abandon(frame);
    if (this.#frame !== undefined) this.#memory.abandon(this.#frame);
  }

  /** Returns whether there is memory for the frame whose prefix is there; if not, waits for it. */
  #begin(): boolean {
    const bytes = this.#prefix.readUInt32BE(1);
    if (this.#maxBytes !== -1 && bytes > this.#maxBytes) {
      throw new Error(`Received message larger than max (${bytes} vs ${this.#maxBytes})`);
    }
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
