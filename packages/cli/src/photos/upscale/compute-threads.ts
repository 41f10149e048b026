/** Threads that share the work of one photo. */
import { Worker } from "node:worker_threads";
import { type AnswerTo, type AskThread, NetworkThreads, RunError } from "@mzsr/mzsr";
import type { ThreadAnswer } from "../../threads/messages.js";

/** Backends that leave the other cores alone; those of GPUs and TensorFlow's own use what there is. */
const ONE_CORE: readonly string[] = ["simd", "cpu"];

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
  for(photo: { readonly width: number; readonly height: number }, backend: string): NetworkThreads | undefined {
    if (this.#count < 2 || !ONE_CORE.includes(backend) || photo.width * photo.height <= WORTHWHILE_PIXELS)
      return undefined;
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

  #start(backend: string): AskThread {
    const worker = new Worker(new URL("./compute-thread.js", import.meta.url), { workerData: backend });
    this.#workers.push(worker);
    // Its failures are those of what it is asked.
    worker.on("error", () => undefined);
    worker.unref();
    return (request) =>
      new Promise<AnswerTo<typeof request>>((resolve, reject) => {
        const failed = (thrown: unknown) =>
          settle(() => reject(new RunError("a thread that computed ended", { cause: thrown })));
        const settle = (outcome: () => void) => {
          worker.off("message", hear).off("error", failed).off("exit", failed);
          worker.unref();
          outcome();
        };
        const hear = (message: ThreadAnswer<AnswerTo<typeof request>>) =>
          settle(() => {
            if (message.kind === "done") resolve(message.report);
            else if (message.kind === "failed") reject(new RunError(message.reason));
          });
        worker.on("message", hear).on("error", failed).on("exit", failed);
        worker.ref();
        worker.postMessage(
          request,
          request.kind === "tile" ? [request.source.piece.image.data.buffer as ArrayBuffer] : [],
        );
      });
  }
}
