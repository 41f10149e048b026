import type { NetworkComputer } from "@mzsr/mzsr";
import type { PhotoBackend } from "@mzsr/worker";
import { type BackendChoice, useBackend } from "../use-backend.js";
import { ComputeThreads } from "./compute-threads.js";

/** What a photo is enlarged by. */
export interface Computing {
  /** The name of the backend. */
  readonly backend: string;
  readonly computer: NetworkComputer;
}

/** What computes the photos of a thread, one after the other: a backend that is started once, and other threads for large photos. */
export class PhotoComputers {
  readonly #choice: BackendChoice;
  readonly #threads: ComputeThreads;
  readonly #start: typeof useBackend;
  #started: Promise<PhotoBackend> | undefined;
  #note: (text: string) => void = () => undefined;

  /** @param threads that share the work of one photo @param start another one in tests */
  constructor(
    { threads, ...choice }: BackendChoice & { readonly threads: number },
    start: typeof useBackend = useBackend,
  ) {
    this.#start = start;
    this.#choice = choice;
    this.#threads = new ComputeThreads(threads);
  }

  /** Lets the backend start meanwhile: whoever waits for it hears of a failure, and nobody else. */
  begin(): void {
    this.#backend().catch(() => undefined);
  }

  /**
   * @param note told when something of this photo is not computed on the backend
   * @throws InputError when the backend does not start
   */
  async for(
    photo: { readonly width: number; readonly height: number },
    note: (text: string) => void,
  ): Promise<Computing> {
    this.#note = note;
    let backend = await this.#backend();
    if (backend.failure !== undefined) {
      // A lost GPU fails the photo that it had; for the next it is opened again.
      await this.#closeBackend();
      backend = await this.#backend();
    }
    const { name, computer } = backend;
    return { backend: name, computer: this.#threads.for(photo, name) ?? computer };
  }

  /** For the file of a large photo. */
  makeRoom(photo: { readonly width: number; readonly height: number }): Promise<void> {
    return this.#threads.makeRoom(photo);
  }

  /** After a photo that failed: the next one gets new threads. */
  endThreads(): Promise<void> {
    return this.#threads.end();
  }

  async close(): Promise<void> {
    await this.#threads.end();
    await this.#closeBackend();
  }

  #backend(): Promise<PhotoBackend> {
    this.#started ??= this.#start(this.#choice, (text) => this.#note(text));
    return this.#started;
  }

  async #closeBackend(): Promise<void> {
    const started = this.#started;
    this.#started = undefined;
    await started?.then(
      (backend) => backend.close(),
      () => undefined,
    );
  }
}
