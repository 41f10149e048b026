import type { CoordinatorToWorker, WorkerToCoordinator } from "@mzsr/shared";
import type { Clock } from "./clock.js";
import type { Process } from "./process.js";
import type { Random } from "./random.js";
import type { NetworkPlan } from "./scenario.js";

/** A peer that does not answer at all is given up after this. */
const CONNECT_TIMEOUT_MS = 10_000;

/** Half-open streams are noticed by keepalive pings after at most this. */
const KEEPALIVE_MS = { worker: 30_000, coordinator: 120_000 } as const;

/** One end of a stream: where its messages and its end go. */
export interface StreamEnd<Incoming> {
  readonly process: Process;
  receive(message: Incoming): void;
  closed(reason: string): void;
}

/** One way of a stream: in order, at its own pace, until it breaks. */
class Way<Message> {
  readonly #clock: Clock;
  readonly #delayMs: () => number;
  readonly #end: StreamEnd<Message>;
  /** Nothing arrives before what was sent before it. */
  #lastArrivalMs = 0;
  #brokenFromMs = Number.POSITIVE_INFINITY;
  #endTold = false;

  constructor(clock: Clock, delayMs: () => number, end: StreamEnd<Message>) {
    this.#clock = clock;
    this.#delayMs = delayMs;
    this.#end = end;
  }

  send(message: Message): void {
    this.#arrive(() => this.#end.receive(message));
  }

  /** The other side closed the stream in good order: that arrives after what it has sent. */
  finish(): void {
    this.#arrive(() => this.#tellEnd("closed by the other side"));
  }

  /** This side has closed it: nothing is reported here any more. */
  mute(): void {
    this.#endTold = true;
  }

  stall(ms: number): void {
    this.#lastArrivalMs = Math.max(this.#lastArrivalMs, this.#clock.nowMs + ms);
  }

  /** What would arrive after `fromMs` is lost, and the receiving side notices at `noticedMs`. */
  break(fromMs: number, noticedMs: number): void {
    this.#brokenFromMs = Math.min(this.#brokenFromMs, fromMs);
    this.#clock.at(Math.max(fromMs, noticedMs), () =>
      this.#end.process.deliver(() => this.#tellEnd("connection lost")),
    );
  }

  #arrive(run: () => void): void {
    const atMs = Math.max(this.#lastArrivalMs, this.#clock.nowMs + this.#delayMs());
    this.#lastArrivalMs = atMs;
    this.#clock.at(atMs, () => {
      if (atMs >= this.#brokenFromMs) return;
      this.#end.process.deliver(() => {
        if (!this.#endTold) run();
      });
    });
  }

  #tellEnd(reason: string): void {
    if (this.#endTold) return;
    this.#endTold = true;
    this.#end.closed(reason);
  }
}

export class Stream {
  readonly worker: string;
  readonly #clock: Clock;
  readonly #up: Way<WorkerToCoordinator>;
  readonly #down: Way<CoordinatorToWorker>;

  constructor(
    worker: string,
    network: { clock: Clock; delayMs: () => number },
    ends: { coordinator: StreamEnd<WorkerToCoordinator>; worker: StreamEnd<CoordinatorToWorker> },
  ) {
    this.worker = worker;
    this.#clock = network.clock;
    this.#up = new Way(network.clock, network.delayMs, ends.coordinator);
    this.#down = new Way(network.clock, network.delayMs, ends.worker);
  }

  sendUp(message: WorkerToCoordinator): void {
    this.#up.send(message);
  }

  sendDown(message: CoordinatorToWorker): void {
    this.#down.send(message);
  }

  closeByWorker(): void {
    this.#down.mute();
    this.#up.finish();
  }

  closeByCoordinator(): void {
    this.#up.mute();
    this.#down.finish();
  }

  /** @param workerMs after how long the worker notices, and `coordinatorMs` the coordinator */
  break(workerMs: number, coordinatorMs: number): void {
    const now = this.#clock.nowMs;
    this.#down.break(now, now + Math.min(workerMs, KEEPALIVE_MS.worker));
    this.#up.break(now, now + Math.min(coordinatorMs, KEEPALIVE_MS.coordinator));
  }

  stall(ms: number, ways: "up" | "down" | "both"): void {
    if (ways !== "down") this.#up.stall(ms);
    if (ways !== "up") this.#down.stall(ms);
  }
}

/** Where a worker finds the coordinator. */
export interface Listener {
  readonly process: Process;
  /** A new stream has come; returns where its messages go. */
  accept(stream: () => Stream): StreamEnd<WorkerToCoordinator>;
}

/** Delays, loses, duplicates and cuts; keeps the order within one way of a stream and nowhere else. */
export class Network {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #plan: NetworkPlan;
  readonly #streams = new Set<Stream>();
  /** Until when a worker is cut off from everybody. */
  readonly #partitionedUntilMs = new Map<string, number>();
  #natsDownUntilMs = 0;
  listener: Listener | undefined;

  constructor(clock: Clock, random: Random, plan: NetworkPlan) {
    this.#clock = clock;
    this.#random = random;
    this.#plan = plan;
  }

  readonly delayMs = (): number => {
    const { usualDelayMs, slowShare } = this.#plan;
    const extra = this.#random.chance(slowShare) ? 1000 * this.#random.unit() : 0;
    return usualDelayMs * this.#random.uniform(0.5, 1.5) + extra;
  };

  get duplicateShare(): number {
    return this.#plan.duplicateShare;
  }

  /** Tries to reach the coordinator; `opened` or the end's `closed` follows. */
  connect(worker: string, end: StreamEnd<CoordinatorToWorker>, opened: (stream: Stream) => void): void {
    const failed = (ms: number, reason: string) => {
      this.#clock.after(ms, () => end.process.deliver(() => end.closed(reason)));
    };
    this.#clock.after(this.delayMs(), () => {
      const { listener } = this;
      if (this.#isPartitioned(worker)) failed(CONNECT_TIMEOUT_MS * this.#random.unit(), "no answer");
      else if (!listener?.process.alive) failed(this.delayMs(), "connection refused");
      else this.#open(worker, end, listener, opened);
    });
  }

  #open(
    worker: string,
    end: StreamEnd<CoordinatorToWorker>,
    listener: Listener,
    opened: (stream: Stream) => void,
  ): void {
    const network = { clock: this.#clock, delayMs: this.delayMs };
    let stream: Stream | undefined;
    const coordinator = listener.accept(() => stream!);
    stream = new Stream(worker, network, { coordinator, worker: end });
    this.#streams.add(stream);
    this.#clock.after(this.delayMs(), () => end.process.deliver(() => opened(stream)));
  }

  /** A heartbeat over NATS: it may be lost, late, out of order, or arrive twice. */
  datagram(worker: string, arrive: (listener: Listener) => void): void {
    const copies = this.#random.chance(this.#plan.duplicateShare) ? 2 : 1;
    for (let i = 0; i < copies; i++) {
      if (this.#random.chance(this.#plan.lossShare) || this.#natsDownUntilMs > this.#clock.nowMs) continue;
      this.#clock.after(this.delayMs() * this.#random.uniform(0.5, 5), () => {
        const { listener } = this;
        if (!listener || this.#isPartitioned(worker)) return;
        listener.process.deliver(() => arrive(listener));
      });
    }
  }

  cut(worker: string, noticedMs: readonly [number, number]): void {
    for (const stream of this.#streamsOf(worker)) {
      stream.break(...noticedMs);
      this.#streams.delete(stream);
    }
  }

  stall(worker: string, ms: number, ways: "up" | "down" | "both"): void {
    for (const stream of this.#streamsOf(worker)) stream.stall(ms, ways);
  }

  partition(worker: string, forMs: number): void {
    const untilMs = Math.max(this.#clock.nowMs + forMs, this.#partitionedUntilMs.get(worker) ?? 0);
    this.#partitionedUntilMs.set(worker, untilMs);
    const { worker: atWorker, coordinator } = KEEPALIVE_MS;
    this.cut(worker, [atWorker * this.#random.unit(), coordinator * this.#random.unit()]);
  }

  natsDown(forMs: number): void {
    this.#natsDownUntilMs = Math.max(this.#natsDownUntilMs, this.#clock.nowMs + forMs);
  }

  /** The coordinator's process has ended: its kernel closes the sockets. */
  coordinatorGone(): void {
    for (const stream of this.#streams) stream.break(100 * this.#random.unit(), 0);
    this.#streams.clear();
  }

  #isPartitioned(worker: string): boolean {
    return (this.#partitionedUntilMs.get(worker) ?? 0) > this.#clock.nowMs;
  }

  #streamsOf(worker: string): Stream[] {
    return [...this.#streams].filter((stream) => stream.worker === worker);
  }
}
