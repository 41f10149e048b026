// Memory for tensors inside one WebAssembly memory.
//
// Free blocks are kept in address order and joined with their neighbours, so that the free list stays short; a request
// takes the smallest block that holds it. Sizes are whole cache lines. The list lives outside the memory it manages.

/** Every address is a multiple of this many bytes, and so is every size. */
export const ALIGNMENT = 64;

/** Bytes readable beyond an allocation's end: kernels load whole vectors. */
const SLACK = 16;

/** Memory grows by at least this share of its size, so that growing stays rare. */
const GROWTH = 1 / 8;

/** The part of WebAssembly.Memory that the allocator needs. Sizes in bytes. */
export interface GrowableMemory {
  readonly byteLength: number;
  /** Adds `bytes` (a multiple of 65536); throws where the machine refuses. */
  grow(bytes: number): void;
}

const PAGE = 65536;

/** There is no room for another tensor. */
export class SimdMemoryError extends Error {
  override readonly name = "SimdMemoryError";

  constructor(
    readonly requestedBytes: number,
    readonly usedBytes: number,
    readonly maximumBytes: number,
  ) {
    super(
      `simd backend: out of memory: asked for ${mebibytes(requestedBytes)} with ${mebibytes(usedBytes)} in use of at most ` +
        `${mebibytes(maximumBytes)}; dispose tensors sooner, or work on smaller pieces`,
    );
  }
}

function mebibytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(1)} MiB`;
}

interface FreeBlock {
  address: number;
  bytes: number;
}

/** Hands out and takes back aligned pieces of a growing memory, from `start` on. */
export class Allocator {
  readonly #memory: GrowableMemory;
  readonly #maximumBytes: number;
  readonly #free: FreeBlock[] = [];
  readonly #sizes = new Map<number, number>();
  #end: number;
  #usedBytes = 0;

  constructor(memory: GrowableMemory, start: number, maximumBytes: number) {
    this.#memory = memory;
    this.#maximumBytes = maximumBytes;
    this.#end = align(start);
  }

  /** Bytes handed out and not yet taken back, rounding included. */
  get usedBytes(): number {
    return this.#usedBytes;
  }

  /** Pieces handed out and not yet taken back. */
  get count(): number {
    return this.#sizes.size;
  }

  /** Address of `bytes` bytes. Throws SimdMemoryError where neither a free block nor growth makes room. */
  allocate(bytes: number): number {
    const size = align(bytes + SLACK);
    const address = this.#takeFree(size) ?? this.#extend(size, bytes);
    this.#sizes.set(address, size);
    this.#usedBytes += size;
    return address;
  }

  /** Takes back what `allocate` returned. */
  release(address: number): void {
    const size = this.#sizes.get(address);
    if (size === undefined) throw new Error(`simd backend: nothing is allocated at address ${address}`);
    this.#sizes.delete(address);
    this.#usedBytes -= size;
    this.#insertFree(address, size);
  }

  #takeFree(size: number): number | undefined {
    let best = -1;
    for (let i = 0; i < this.#free.length; i++) {
      const bytes = this.#free[i]!.bytes;
      if (bytes >= size && (best < 0 || bytes < this.#free[best]!.bytes)) best = i;
      if (bytes === size) break;
    }
    if (best < 0) return undefined;
    const block = this.#free[best]!;
    const address = block.address;
    block.address += size;
    block.bytes -= size;
    if (block.bytes === 0) this.#free.splice(best, 1);
    return address;
  }

  /** Takes from beyond the last allocation, joined with a free block that ends there. */
  #extend(size: number, requestedBytes: number): number {
    const last = this.#free.at(-1);
    const joins = last !== undefined && last.address + last.bytes === this.#end;
    const address = joins ? last.address : this.#end;
    this.#ensure(address + size, requestedBytes);
    if (joins) this.#free.pop();
    this.#end = address + size;
    return address;
  }

  #ensure(end: number, requestedBytes: number): void {
    const have = this.#memory.byteLength;
    if (end <= have) return;
    const wanted = Math.max(end, Math.min(have * (1 + GROWTH), this.#maximumBytes));
    try {
      if (end > this.#maximumBytes) throw new RangeError("beyond the maximum");
      this.#memory.grow(Math.ceil((wanted - have) / PAGE) * PAGE);
    } catch {
      throw new SimdMemoryError(requestedBytes, this.#usedBytes, this.#maximumBytes);
    }
  }

  #insertFree(address: number, bytes: number): void {
    let low = 0;
    for (let high = this.#free.length; low < high; ) {
      const middle = (low + high) >> 1;
      if (this.#free[middle]!.address < address) low = middle + 1;
      else high = middle;
    }
    const before = this.#free[low - 1];
    const after = this.#free[low];
    const joinsAfter = after !== undefined && address + bytes === after.address;
    if (before !== undefined && before.address + before.bytes === address) {
      before.bytes += bytes + (joinsAfter ? after.bytes : 0);
      if (joinsAfter) this.#free.splice(low, 1);
    } else if (joinsAfter) {
      after.address = address;
      after.bytes += bytes;
    } else {
      this.#free.splice(low, 0, { address, bytes });
    }
  }
}

function align(bytes: number): number {
  return Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;
}
