/** Threads that share the work of one photo. */
import type { Worker } from "node:worker_threads";
import { type AnswerTo, type AskThread, type NetworkRequest, NetworkThreads, RunError } from "@mzsr/mzsr";
import type { BackendName } from "@mzsr/shared";
import { backendThread, usesOneCore } from "@mzsr/worker";
import { askThread } from "../../threads/ask-thread.js";

/** A smaller photo is one part to adapt to, and few tiles: threads would take longer to start than they save. */
const WORTHWHILE_PIXELS = 512 * 512;

/** From here on the threads' memory, some 150 MB each, is wanted back before a result is written. */
const LARGE_PIXELS = 4_000_000;

/** Starts no thread before a photo is worth it, and keeps them for the next photo. */
export class ComputeThreads {
  readonly #count: number;
  readonly #workers: Worker[] = [];
  #network: NetworkThreads | undefined;

  constructor(count: number) {
    this.#count = count;
  }

  /** @returns nothing where one thread does as well */
  for(photo: { readonly width: number; readonly height: number }, backend: BackendName): NetworkThreads | undefined {
    if (this.#count < 2 || !usesOneCore(backend) || photo.width * photo.height <= WORTHWHILE_PIXELS) return undefined;
    this.#network ??= new NetworkThreads(Array.from({ length: this.#count }, () => this.#start(backend)));
    return this.#network;
  }

  /** A large photo's file needs the memory that threads hold; other photos find them ready. */
  async makeRoom({ width, height }: { readonly width: number; readonly height: number }): Promise<void> {
    if (width * height > LARGE_PIXELS) await this.end();
  }

  /** Threads of a photo that failed may be in the middle of something: the next photo gets new ones. */
  async end(): Promise<void> {
    this.#network = undefined;
    await Promise.all(this.#workers.splice(0).map((worker) => worker.terminate()));
  }

  #start(backend: BackendName): AskThread {
    const worker = backendThread(new URL("./compute-thread.js", import.meta.url), backend);
    this.#workers.push(worker);
    // Its failures are those of what it is asked.
    worker.on("error", () => undefined);
    worker.unref();
    return async (request) => {
      const transfer = request.kind === "tile" ? [request.source.piece.image.data.buffer as ArrayBuffer] : [];
      worker.ref();
      try {
        const answer = await askThread<NetworkRequest, AnswerTo<typeof request>>(worker, request, undefined, transfer);
        if (answer.kind === "done") return answer.report;
        throw new RunError(answer.reason);
      } catch (thrown) {
        throw thrown instanceof RunError ? thrown : new RunError("a thread that computed ended", { cause: thrown });
      } finally {
        worker.unref();
      }
    };
  }
}
