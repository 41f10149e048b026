/**
 * Puts a gRPC stream's messages together as they arrive.
 *
 * HTTP/2 brings 900 KB of gradient in 55 pieces. grpc-js keeps the pieces until the last one is there and copies them
 * then: what arrives from many workers at once is in memory twice, and has left the processor's cache when it is copied.
 * Here each piece is copied to its place when it comes.
 */

/** A flag (whether the message is compressed) and the message's length. */
export const PREFIX_BYTES = 5;

export class FrameReader {
  readonly #maxBytes: number;
  readonly #prefix = Buffer.alloc(PREFIX_BYTES);
  /** The frame that is being filled; undefined while its length is not known. */
  #frame: Buffer | undefined;
  /** Bytes of the frame, or of its prefix, that are there. */
  #filled = 0;

  /** @param maxBytes largest message that may come; -1 for any */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /**
   * Takes the stream's next bytes. Returns the frames (prefix and message) that are complete now, in memory of their own.
   * @throws Error when a message will be larger than it may be
   */
  write(data: Buffer): Buffer[] {
    const complete: Buffer[] = [];
    for (let at = 0; at < data.length; ) {
      const target = this.#frame ?? this.#prefix;
      const end = Math.min(data.length, at + target.length - this.#filled);
      data.copy(target, this.#filled, at, end);
      this.#filled += end - at;
      at = end;
      if (this.#filled < target.length) break;
      const frame = this.#frame ?? this.#begin();
      if (this.#filled < frame.length) continue;
      complete.push(frame);
      this.#frame = undefined;
      this.#filled = 0;
    }
    return complete;
  }

  #begin(): Buffer {
    const bytes = this.#prefix.readUInt32BE(1);
    if (this.#maxBytes !== -1 && bytes > this.#maxBytes) {
      throw new Error(`Received message larger than max (${bytes} vs ${this.#maxBytes})`);
    }
    this.#frame = Buffer.allocUnsafe(PREFIX_BYTES + bytes);
    this.#prefix.copy(this.#frame);
    return this.#frame;
  }
}
