/**
 * Server-sent events. A reader that does not read is not waited for: what it misses is dropped, and when its buffer
 * stays full it is let go; the page reconnects and begins with a fresh status.
 *
 * A worker is a line of some 300 bytes in the status. So that a thousand of them do not make 300 KB a second for each
 * page, the whole status goes out at a bounded rate of such lines, and its head alone in the seconds between. Either is
 * made once for all readers.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { ClusterStatus, RunEventRecord, StepSummary, StreamMessages, ValidationSummary } from "@mzsr/shared";

const STATUS_MS = 1_000;
const STEP_MS = 250;
/** Lines of workers that go to a reader in a second, on average: up to so many, each second has a whole status. */
const WORKERS_A_SECOND = 200;
/** Bytes that may wait for one reader. */
const MOST_WAITING_BYTES = 1024 * 1024;
const MOST_READERS = 64;
/** Of one peer: a browser opens six, and several may come from behind one address. */
const MOST_OF_A_PEER = 16;

export class EventStream {
  readonly #status: () => ClusterStatus;
  /** The oldest first, each with its peer's address. */
  readonly #readers = new Map<ServerResponse, string>();
  #statusTimer: NodeJS.Timeout | undefined;
  #stepTimer: NodeJS.Timeout | undefined;
  #whenEmpty: (() => void) | undefined;
  #waitingStep: StepSummary | undefined;
  #lastStatus = "";
  #secondsSinceWhole = 0;

  constructor(status: () => ClusterStatus) {
    this.#status = status;
  }

  /**
   * Answers a request with the stream: a status at once, then whatever happens. Where there are too many, another one
   * ends; its page, if it has one, comes again.
   */
  open(request: IncomingMessage, response: ServerResponse): void {
    const peer = request.socket.remoteAddress ?? "";
    this.#makeRoom(peer);
    response.writeHead(200, {
      "content-type": "text/event-stream",
      "cache-control": "no-store",
      "x-accel-buffering": "no",
    });
    this.#readers.set(response, peer);
    request.on("close", () => this.#forget(response));
    response.write(messageOf("status", JSON.stringify(this.#status())));
    this.#statusTimer ??= setInterval(() => this.#secondPassed(), STATUS_MS);
  }

  event(event: RunEventRecord): void {
    this.#send("event", JSON.stringify(event));
  }

  preview(step: number): void {
    this.#send("preview", JSON.stringify({ step }));
  }

  validation(validation: ValidationSummary): void {
    this.#send("validation", JSON.stringify(validation));
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
    this.#sendWhole(this.#status());
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
    this.#sendWhole(this.#status());
    for (const reader of this.#readers.keys()) reader.end();
    this.#readers.clear();
  }

  #secondPassed(): void {
    const status = this.#status();
    this.#secondsSinceWhole++;
    if (this.#secondsSinceWhole * WORKERS_A_SECOND >= status.workers.length) this.#sendWhole(status);
    else this.#send("head", JSON.stringify({ ...status, workers: undefined }));
  }

  #sendWhole(status: ClusterStatus): void {
    const json = JSON.stringify(status);
    if (json !== this.#lastStatus) this.#send("status", json);
    this.#lastStatus = json;
    this.#secondsSinceWhole = 0;
  }

  #send(name: keyof StreamMessages, json: string): void {
    const message = messageOf(name, json);
    for (const reader of this.#readers.keys()) {
      // Who has not read the last status needs no newer one behind it; what it must hear of comes by events.
      if (name === "status" && reader.writableLength >= message.length) continue;
      if (reader.writableLength > MOST_WAITING_BYTES + this.#lastStatus.length) {
        reader.destroy();
        this.#forget(reader);
      } else reader.write(message);
    }
  }

  /** Of the peer that has too many, or of the one that has most, the stream goes that is read least, or else the oldest. */
  #makeRoom(peer: string): void {
    const ofPeer = new Map<string, ServerResponse[]>();
    for (const [reader, from] of this.#readers) ofPeer.set(from, [...(ofPeer.get(from) ?? []), reader]);
    const own = ofPeer.get(peer) ?? [];
    const crowd =
      own.length >= MOST_OF_A_PEER ? own : this.#readers.size >= MOST_READERS ? longest(ofPeer.values()) : [];
    const [first, ...others] = crowd;
    if (first === undefined) return;
    const victim = others.reduce((least, each) => (each.writableLength > least.writableLength ? each : least), first);
    victim.destroy();
    this.#forget(victim);
  }

  #forget(reader: ServerResponse): void {
    this.#readers.delete(reader);
    if (this.#readers.size > 0) return;
    this.#whenEmpty?.();
    clearInterval(this.#statusTimer);
    this.#statusTimer = undefined;
  }
}

function longest<T>(lists: Iterable<readonly T[]>): readonly T[] {
  return [...lists].reduce((most, each) => (each.length > most.length ? each : most), []);
}

function messageOf(name: keyof StreamMessages, json: string): Buffer {
  return Buffer.from(`event: ${name}\ndata: ${json}\n\n`);
}
