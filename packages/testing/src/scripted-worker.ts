/** A worker that speaks the real protocol over a real socket, and computes what the test says. */
import { createHash } from "node:crypto";
import type { ClientDuplexStream } from "@grpc/grpc-js";
import {
  authorization,
  type ClusterClient,
  type CoordinatorMessage__Output,
  type CoordinatorToWorker,
  clusterClient,
  coordinatorMessageFromProto,
  GroupSums,
  type Hello,
  type Lease,
  type LeasedOutcome,
  PROTOCOL_VERSION,
  resultOf,
  type Task,
  type TaskOutcome,
  type WorkerMessage,
  type WorkerToCoordinator,
  workerMessageToProto,
} from "@mzsr/shared";

export type Received<T extends CoordinatorToWorker["type"]> = Extract<CoordinatorToWorker, { type: T }>;

export function helloOf(worker: string, more: Partial<Hello> = {}): Hello {
  return {
    protocolVersion: PROTOCOL_VERSION,
    worker,
    incarnation: `${worker}-1`,
    backend: "cpu",
    slots: 1,
    version: "test",
    host: "test",
    metricsAddress: "",
    ...more,
  };
}

export class ScriptedWorker {
  readonly client: ClusterClient;
  readonly received: CoordinatorToWorker[] = [];
  /** Why the stream ended; undefined while it is open. */
  ended: string | undefined;
  readonly #stream: ClientDuplexStream<WorkerMessage, CoordinatorMessage__Output>;
  readonly #waiting: { readonly test: () => boolean; readonly resolve: () => void }[] = [];
  #onMessage: (message: CoordinatorToWorker) => void = () => undefined;

  /** @param token shown to the coordinator; none by default */
  constructor(client: ClusterClient, token = "") {
    this.client = client;
    this.#stream = client.Session(authorization(token));
    this.#stream.on("data", (wire: CoordinatorMessage__Output) => {
      const message = coordinatorMessageFromProto(wire);
      this.received.push(message);
      this.#onMessage(message);
      this.#wake();
    });
    const end = (reason: string) => {
      this.ended ??= reason;
      this.#wake();
    };
    this.#stream.on("end", () => end("ended"));
    this.#stream.on("error", (error) => end(error.message));
  }

  static at(address: string, token = ""): ScriptedWorker {
    return new ScriptedWorker(clusterClient(address), token);
  }

  send(message: WorkerToCoordinator): void {
    this.#stream.write(workerMessageToProto(message));
  }

  /** Sends a message that no honest worker would. */
  sendRaw(message: WorkerMessage): void {
    this.#stream.write(message);
  }

  hello(hello: Hello): void {
    this.send({ type: "hello", ...hello });
  }

  /**
   * The first message of a type, now or when it comes.
   * @throws Error when the stream ended without one
   */
  async next<T extends CoordinatorToWorker["type"]>(type: T): Promise<Received<T>> {
    const find = () => this.received.find((message) => message.type === type);
    await this.until(() => find() !== undefined || this.ended !== undefined);
    const found = find();
    if (found === undefined) throw new Error(`the stream ended without '${type}': ${this.ended}`);
    return found as Received<T>;
  }

  /** Resolves when the test holds after a message or the end of the stream. */
  until(test: () => boolean): Promise<void> {
    if (test()) return Promise.resolve();
    return new Promise((resolve) => {
      this.#waiting.push({ test, resolve });
    });
  }

  /** Answers every lease with `outcomeOf`, or keeps it where that is undefined. */
  compute(outcomeOf: (task: Task, theta: Float32Array) => TaskOutcome | undefined = pretendOutcome): void {
    this.#answer((leases, thetaOf) => {
      for (const { id, task } of leases) {
        const outcome = outcomeOf(task, thetaOf(task));
        if (outcome !== undefined) this.send({ type: "result", ...resultOf({ lease: id, outcome }) });
      }
    });
  }

  /** Answers the leases that come together with their sum, as far as they may be added up. @param sent told of each group's size */
  computeInGroups(sent: (tasks: number) => void): void {
    const sums = new GroupSums();
    this.#answer((leases, thetaOf) => {
      const together = new Map<number | string, LeasedOutcome[]>();
      for (const { id, task, groupable } of leases) {
        const of = groupable ? task.step : id;
        together.set(of, [...(together.get(of) ?? []), { lease: id, outcome: pretendOutcome(task, thetaOf(task)) }]);
      }
      for (const outcomes of together.values()) {
        if (outcomes.length === 1) this.send({ type: "result", ...resultOf(outcomes[0]!) });
        else {
          this.send({ type: "group", ...sums.add(outcomes)! });
          sent(outcomes.length);
        }
      }
    });
  }

  #answer(answer: (leases: readonly Lease[], thetaOf: (task: Task) => Float32Array) => void): void {
    const thetas = new Map<number, Float32Array>();
    this.#onMessage = (message) => {
      if (message.type === "parameters") thetas.set(message.step, message.theta);
      if (message.type === "drain") this.close();
      if (message.type === "assign") answer(message.leases, (task) => thetas.get(task.parametersStep)!);
    };
  }

  /** Answers every lease before `step`, and keeps what comes then. */
  computeUntil(step: number, reached: () => void): void {
    this.compute((task, theta) => {
      if (task.step < step) return pretendOutcome(task, theta);
      reached();
      return undefined;
    });
  }

  /** Takes no more than the message that is asked for already, until `readOn`: the stream's window then fills. */
  stopReading(): void {
    // A paused stream still reads as many messages ahead as its buffer takes.
    this.#stream._read = () => undefined;
  }

  readOn(): void {
    Reflect.deleteProperty(this.#stream, "_read");
    this.#stream._read(1);
  }

  close(): void {
    this.#stream.end();
  }

  /** Cuts the connection without a word. */
  cut(): void {
    this.#stream.cancel();
    this.client.close();
  }

  async closed(): Promise<void> {
    await this.until(() => this.ended !== undefined);
    this.client.close();
  }

  #wake(): void {
    for (const waiting of [...this.#waiting]) {
      if (!waiting.test()) continue;
      this.#waiting.splice(this.#waiting.indexOf(waiting), 1);
      waiting.resolve();
    }
  }
}

/** A gradient that depends on θ, step and index, and on nothing else: a stand-in that determinism can be seen with. */
export function pretendOutcome(task: Task, theta: Float32Array): TaskOutcome {
  const seed = createHash("sha256").update(`${task.step}/${task.index}`).digest();
  const gradient = Float32Array.from(theta, (value, i) => value * 0.1 + (seed[i % seed.length]! - 127.5) / 1000);
  const pretraining = task.stage === "pretraining";
  const losses = (count: number) => Array.from({ length: count }, (_, i) => 1 / (1 + i + task.step));
  return {
    stage: task.stage,
    step: task.step,
    index: task.index,
    gradient,
    supportLosses: losses(pretraining ? 1 : task.stepWeights.length),
    queryLosses: pretraining ? [] : losses(task.stepWeights.length + 1),
    dataSeconds: 0,
    computeSeconds: 0,
  };
}
