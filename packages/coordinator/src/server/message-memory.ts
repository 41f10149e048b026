/**
 * The memory in which workers' large messages are put together.
 *
 * With n workers that answer at once, n gradients arrive side by side, and were each given memory when it begins, all would
 * be there half-arrived: 0.9 GB for 1,024 workers. So only so many arrive at a time; the others' streams are not read, and
 * their bytes wait where they are, within HTTP/2's windows. And what has been read is used for the next message: fresh memory
 * costs a page fault for every 4 KiB.
 *
 * (Smaller windows with many workers bound what waits, too, and were tried: with 64 KiB a gradient comes in fourteen turns, and
 * 1,024 workers cost 3.2 s of processor time a step instead of 2.2 s.)
 */

/** Smaller messages (heartbeats, failures) wait for nobody. */
const SMALL_BYTES = 64 * 1024;

interface Waiting {
  readonly bytes: number;
  readonly give: (memory: Buffer) => void;
}

export class MessageMemory {
  readonly #limit: number;
  /** What messages lie in, by its ArrayBuffer. */
  readonly #used = new Map<ArrayBufferLike, Buffer>();
  #usedBytes = 0;
  readonly #free: Buffer[] = [];
  #freeBytes = 0;
  #waiting: Waiting[] = [];

  /** @param limit bytes of messages that may arrive at a time; one message may always */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Bytes that messages have now. */
  get usedBytes(): number {
    return this.#usedBytes;
  }

  /** These and what is kept for the next ones. */
  get heldBytes(): number {
    return this.#usedBytes + this.#freeBytes;
  }

  /**
   * Memory for a message of so many bytes, its contents arbitrary; `undefined` while there is no room for it, or others wait
   * for some.
   */
  take(bytes: number): Buffer | undefined {
    if (bytes <= SMALL_BYTES) return Buffer.allocUnsafe(bytes);
    return this.#waiting.length === 0 && this.#hasRoom(bytes) ? this.#allocate(bytes) : undefined;
  }

  /** Calls `give` with the memory once there is room, in the order of asking. Returns what calls that off. */
  wait(bytes: number, give: (memory: Buffer) => void): () => void {
    const waiting = { bytes, give };
    this.#waiting.push(waiting);
    return () => {
      this.#waiting = this.#waiting.filter((other) => other !== waiting);
      this.#serve();
    };
  }

  /** The message has been read, and nobody has a view of it any more. */
  release(message: Buffer): void {
    const memory = this.#forget(message);
    if (memory === undefined) return;
    this.#free.push(memory);
    this.#freeBytes += memory.length;
    this.#serve();
  }

  /** The message is waited for no more. Somebody may still see it, so its memory is not used again. */
  abandon(message: Buffer): void {
    if (this.#forget(message) !== undefined) this.#serve();
  }

  #hasRoom(bytes: number): boolean {
    return this.#usedBytes === 0 || this.#usedBytes + wholeBlocks(bytes) <= this.#limit;
  }

  #allocate(bytes: number): Buffer {
    const whole = wholeBlocks(bytes);
    const memory = this.#takeFree(whole) ?? Buffer.allocUnsafeSlow(whole);
    this.#used.set(memory.buffer, memory);
    this.#usedBytes += whole;
    return memory.subarray(0, bytes);
  }

  #takeFree(bytes: number): Buffer | undefined {
    const at = this.#free.findIndex(({ length }) => length === bytes);
    const [found] = at < 0 ? [] : this.#free.splice(at, 1);
    if (found) this.#freeBytes -= found.length;
    while (!found && this.#freeBytes > 0 && this.#usedBytes + this.#freeBytes + bytes > this.#limit) {
      this.#freeBytes -= this.#free.pop()!.length;
    }
    return found;
  }

  #forget({ buffer }: Buffer): Buffer | undefined {
    const memory = this.#used.get(buffer);
    if (memory === undefined) return undefined;
    this.#used.delete(buffer);
    this.#usedBytes -= memory.length;
    return memory;
  }

  #serve(): void {
    for (let [first] = this.#waiting; first && this.#hasRoom(first.bytes); [first] = this.#waiting) {
      this.#waiting.shift();
      first.give(this.#allocate(first.bytes));
    }
  }
}

function wholeBlocks(bytes: number): number {
  return Math.ceil(bytes / SMALL_BYTES) * SMALL_BYTES;
}
