/**
 * Sends image files of the run's data set to workers that don't have them.
 *
 * A chunk is read from the disk when the one before it has left, and counts until it has left itself. Only so many files are
 * sent over one connection, and so many chunks in all, at a time; whoever does not read its chunk is given up.
 */
import { type FileHandle, open } from "node:fs/promises";
import { type ServerWritableStream, status } from "@grpc/grpc-js";
import { messageOf } from "@mzsr/mzsr";
import { ConcurrencyBudget, IMAGE_CHUNK_BYTES, type ImageChunk, type ImageRequest__Output } from "@mzsr/shared";
import type { DatasetFile } from "../tasks/dataset.js";
import { resetStream } from "./grpc-frames.js";

/** Files that are sent at a time over one connection; the others wait. */
const FILES_AT_A_TIME = 8;

/** Chunks that may wait to be read, of all connections: 64 MiB. */
const CHUNKS_AT_A_TIME = 256;

/** A peer that has not taken a chunk by then does not read. */
const PATIENCE_MS = 60_000;

export type ImageCall = ServerWritableStream<ImageRequest__Output, ImageChunk>;

export class ImageSource {
  readonly #byHash: ReadonlyMap<string, DatasetFile>;
  readonly #chunks = new ConcurrencyBudget(CHUNKS_AT_A_TIME);
  /** By the peer's address and port, while it fetches. */
  readonly #connections = new Map<string, { readonly files: ConcurrencyBudget; calls: number }>();
  readonly #patienceMs: number;
  #waitingBytes = 0;

  constructor(images: readonly DatasetFile[], patienceMs = PATIENCE_MS) {
    this.#byHash = new Map(images.map((image) => [image.sha256, image]));
    this.#patienceMs = patienceMs;
  }

  /** Bytes that were read from the disk and have not left. */
  get waitingBytes(): number {
    return this.#waitingBytes;
  }

  /** Handler of FetchImage: only files of the data set, asked for by content hash, leave. */
  async answer(call: ImageCall): Promise<void> {
    const image = this.#byHash.get(call.request.sha256);
    if (image === undefined) return fail(call, status.NOT_FOUND, "the data set has no image of that hash");
    try {
      await this.#send(call, image.path);
    } catch (thrown) {
      if (!call.cancelled) fail(call, status.UNAVAILABLE, `${image.name} cannot be read (${messageOf(thrown)})`);
    }
  }

  async #send(call: ImageCall, path: string): Promise<void> {
    const gone = new AbortController();
    call.once("cancelled", () => gone.abort());
    const peer = call.getPeer();
    const connection = this.#enter(peer);
    try {
      await connection.run(1, () => this.#sendFile(call, path, gone.signal));
    } finally {
      this.#leave(peer);
    }
  }

  async #sendFile(call: ImageCall, path: string, gone: AbortSignal): Promise<void> {
    // It may have gone while it waited.
    gone.throwIfAborted();
    const file = await open(path);
    try {
      while (await this.#chunks.run(1, () => this.#sendChunk(call, file, gone)));
      call.end();
    } finally {
      await file.close();
    }
  }

  /** Returns whether there was one. */
  async #sendChunk(call: ImageCall, file: FileHandle, gone: AbortSignal): Promise<boolean> {
    gone.throwIfAborted();
    this.#waitingBytes += IMAGE_CHUNK_BYTES;
    try {
      const { buffer, bytesRead } = await file.read(Buffer.allocUnsafe(IMAGE_CHUNK_BYTES), 0, IMAGE_CHUNK_BYTES);
      if (bytesRead > 0) await this.#write(call, buffer.subarray(0, bytesRead), gone);
      return bytesRead > 0;
    } finally {
      this.#waitingBytes -= IMAGE_CHUNK_BYTES;
    }
  }

  /** Resolves when the chunk has left. */
  #write(call: ImageCall, data: Buffer, gone: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => resetStream(call), this.#patienceMs);
      const stop = () => {
        clearTimeout(timer);
        reject(gone.reason);
      };
      if (gone.aborted) return stop();
      gone.addEventListener("abort", stop, { once: true });
      call.write({ data }, () => {
        clearTimeout(timer);
        gone.removeEventListener("abort", stop);
        resolve();
      });
    });
  }

  #enter(peer: string): ConcurrencyBudget {
    const connection = this.#connections.get(peer) ?? { files: new ConcurrencyBudget(FILES_AT_A_TIME), calls: 0 };
    connection.calls++;
    this.#connections.set(peer, connection);
    return connection.files;
  }

  #leave(peer: string): void {
    const connection = this.#connections.get(peer);
    if (connection !== undefined && --connection.calls === 0) this.#connections.delete(peer);
  }
}

function fail(call: ImageCall, code: status, details: string): void {
  call.emit("error", { code, details });
}
