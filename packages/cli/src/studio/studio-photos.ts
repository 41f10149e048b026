/** Photos enlarged one after the other, in memory: nothing of them is written to a disk. */
import { randomUUID } from "node:crypto";
import { parse } from "node:path";
import { Worker } from "node:worker_threads";
import { messageOf } from "@mzsr/mzsr";
import { type Content, comparisonFiles } from "../inspect/comparison-files.js";
import type { EnlargeSettings } from "../photos/upscale/enlarge-file.js";
import { resultSuffix } from "../photos/upscale/photo-inputs.js";
import { askThread } from "../threads/ask-thread.js";
import { revived } from "../threads/work-off.js";
import type { StudioEvent } from "./studio-events.js";
import type { StudioAnswer, StudioTask } from "./studio-thread.js";

/** Results that are kept for the page; the oldest goes first. */
const MOST_RESULTS = 4;

export interface StudioResult {
  /** What the result is called when it is saved. */
  readonly file: string;
  readonly bytes: Uint8Array;
  /** The page with the slider, and what it needs. */
  readonly comparison: ReadonlyMap<string, Content>;
}

export class StudioPhotos {
  readonly #settings: EnlargeSettings;
  readonly #results = new Map<string, StudioResult>();
  /** Another thread computes, so that pages hear of it meanwhile, and can end it. */
  #thread: Worker | undefined;
  #before: Promise<void> = Promise.resolve();

  constructor(settings: EnlargeSettings) {
    this.#settings = settings;
  }

  /**
   * Resolves when the photo's last event is told.
   * @param tell given events as JSON
   * @param gone ends the work: nobody waits for the photo any more
   */
  enlarge(task: StudioTask, tell: (event: string) => void, gone: AbortSignal): Promise<void> {
    const say = (event: StudioEvent) => tell(JSON.stringify(event));
    say({ type: "progress", text: "waiting" });
    const done = this.#before.then(async () => {
      if (gone.aborted) return;
      try {
        say(await this.#enlarged(task, tell, gone));
      } catch (thrown) {
        await this.#endThread();
        if (!gone.aborted) say({ type: "failed", reason: messageOf(thrown) });
      }
    });
    this.#before = done;
    return done;
  }

  result(id: string): StudioResult | undefined {
    return this.#results.get(id);
  }

  async close(): Promise<void> {
    await this.#before;
    await this.#endThread();
  }

  /** @throws what breaks the thread */
  async #enlarged(task: StudioTask, tell: (event: string) => void, gone: AbortSignal): Promise<StudioEvent> {
    const url = new URL("./studio-thread.js", import.meta.url);
    this.#thread ??= new Worker(url, { workerData: this.#settings });
    const thread = this.#thread;
    const end = () => void thread.terminate();
    gone.addEventListener("abort", end, { once: true });
    try {
      const answer = await askThread<StudioTask, StudioAnswer>(thread, task, tell);
      if (answer.kind === "done") return this.#keep(task.name, answer.report);
      return { type: "failed", reason: revived(answer).message };
    } finally {
      gone.removeEventListener("abort", end);
    }
  }

  async #endThread(): Promise<void> {
    await this.#thread?.terminate();
    this.#thread = undefined;
  }

  #keep(name: string, { report, bytes, comparison: body }: StudioAnswer): StudioEvent {
    const { width, height, seconds } = report;
    const both = pngSize(body);
    const page = { name, width: both.width / 2, height: both.height };
    const id = randomUUID();
    const file = `${parse(name).name}${resultSuffix(this.#settings.scale)}.png`;
    this.#results.set(id, { file, bytes, comparison: comparisonFiles(page, { type: "image/png", body }) });
    for (const [oldest] of this.#results) if (this.#results.size > MOST_RESULTS) this.#results.delete(oldest);
    return { type: "done", id, file, width, height, seconds };
  }
}

/** Of a PNG that was written here: its first chunk says it. */
function pngSize({ buffer, byteOffset }: Uint8Array): { width: number; height: number } {
  const view = new DataView(buffer, byteOffset);
  return { width: view.getUint32(16), height: view.getUint32(20) };
}
