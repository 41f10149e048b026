/**
 * Server-sent events. A reader that does not read is not waited for: what it misses is dropped, and when its buffer
 * stays full it is let go; the page reconnects and begins with a fresh status.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { ClusterStatus, RunEventRecord, StepSummary, StreamMessages } from "@mzsr/shared";

const STATUS_MS = 1_000;
const STEP_MS = 250;
/** Bytes that may wait for one reader. */
const MOST_WAITING_BYTES = 1024 * 1024;
const MOST_READERS = 64;

export class EventStream {
  readonly #status: () => ClusterStatus;
  readonly #readers = new Set<ServerResponse>();
  #statusTimer: NodeJS.Timeout | undefined;
  #stepTimer: NodeJS.Timeout | undefined;
  #whenEmpty: (() => void) | undefined;
  #waitingStep: StepSummary | undefined;
  #lastStatus = "";

  constructor(status: () => ClusterStatus) {
    this.#status = status;
  }

  /** Answers a request with the stream: a status at once, then whatever happens. False when there are too many. */
  open(request: IncomingMessage, response: ServerResponse): boolean {
    if (this.#readers.size >= MOST_READERS) return false;
    response.writeHead(200, {
      "content-type": "text/event-stream",
      "cache-control": "no-store",
      "x-accel-buffering": "no",
    });
    this.#readers.add(response);
    request.on("close", () => this.#forget(response));
    write(response, "status", JSON.stringify(this.#status()));
    this.#statusTimer ??= setInterval(() => this.#sendStatus(), STATUS_MS);
    return true;
  }

  event(event: RunEventRecord): void {
    this.#send("event", JSON.stringify(event));
  }

  preview(step: number): void {
    this.#send("preview", JSON.stringify({ step }));
  }

  /** The newest step goes out, at most four a second. */
  step(step: StepSummary): void {
    if (this.#readers.size === 0) return;
    this.#waitingStep = step;
    this.#stepTimer ??= setTimeout(() => {
      this.#stepTimer = undefined;
      this.#send("step", JSON.stringify(this.#waitingStep));
    }, STEP_MS);
  }

  /** Tells everybody that the run is complete, and resolves when all have gone by themselves, or after `graceMs`. */
  async end(folder: string, graceMs: number): Promise<void> {
    if (this.#readers.size === 0) return;
    this.#sendStatus();
    this.#send("end", JSON.stringify({ folder }));
    const empty = new Promise<void>((resolve) => {
      this.#whenEmpty = resolve;
    });
    const timer = setTimeout(() => this.#whenEmpty?.(), graceMs);
    await empty;
    clearTimeout(timer);
  }

  /** Sends the last status and ends every stream. */
  close(): void {
    clearInterval(this.#statusTimer);
    clearTimeout(this.#stepTimer);
    this.#sendStatus();
    for (const reader of this.#readers) reader.end();
    this.#readers.clear();
  }

  #sendStatus(): void {
    const status = JSON.stringify(this.#status());
    if (status !== this.#lastStatus) this.#send("status", status);
    this.#lastStatus = status;
  }

  #send(name: keyof StreamMessages, json: string): void {
    for (const reader of this.#readers) {
      if (reader.writableLength > MOST_WAITING_BYTES) {
        reader.destroy();
        this.#forget(reader);
      } else write(reader, name, json);
    }
  }

  #forget(reader: ServerResponse): void {
    this.#readers.delete(reader);
    if (this.#readers.size > 0) return;
    this.#whenEmpty?.();
    clearInterval(this.#statusTimer);
    this.#statusTimer = undefined;
  }
}

function write(reader: ServerResponse, name: keyof StreamMessages, json: string): void {
  reader.write(`event: ${name}\ndata: ${json}\n\n`);
}
