/**
 * A coordinator that does as a test says, behind the real gRPC service: what workers send is collected, what they get
 * the test decides.
 */
import { createHash } from "node:crypto";
import { Server, ServerCredentials, type ServerDuplexStream, type ServerWritableStream, status } from "@grpc/grpc-js";
import {
  type Configuration,
  type CoordinatorMessage,
  type CoordinatorToWorker,
  clusterService,
  configurationSchema,
  coordinatorMessageToProto,
  type DatasetImage,
  type ImageChunk,
  type ImageRequest__Output,
  tokenShown,
  type WorkerMessage__Output,
  type WorkerToCoordinator,
  workerMessageFromProto,
} from "@mzsr/shared";

type Stream = ServerDuplexStream<WorkerMessage__Output, CoordinatorMessage>;
type OfType<T extends WorkerToCoordinator["type"]> = Extract<WorkerToCoordinator, { type: T }>;

/** One worker's stream. */
export class FakeSession {
  readonly received: WorkerToCoordinator[] = [];
  /** The token that the stream was opened with. */
  readonly token: string;
  readonly #stream: Stream;
  readonly #waiting = new Set<() => void>();
  #ended = false;

  constructor(stream: Stream) {
    this.#stream = stream;
    this.token = tokenShown(stream.metadata);
    stream.on("data", (wire: WorkerMessage__Output) => {
      this.received.push(workerMessageFromProto(wire));
      this.#wake();
    });
    const end = () => {
      this.#ended = true;
      this.#wake();
    };
    stream.on("end", () => {
      stream.end();
      end();
    });
    stream.on("cancelled", end);
    stream.on("error", end);
  }

  send(message: CoordinatorToWorker): void {
    this.#stream.write(coordinatorMessageToProto(message));
  }

  /** The first message of a kind that a condition holds for, now or later. */
  async next<T extends WorkerToCoordinator["type"]>(
    type: T,
    condition: (message: OfType<T>) => boolean = () => true,
  ): Promise<OfType<T>> {
    const fits = (message: WorkerToCoordinator): message is OfType<T> =>
      message.type === type && condition(message as OfType<T>);
    for (;;) {
      const found = this.received.find(fits);
      if (found !== undefined) return found;
      if (this.#ended) throw new Error(`the stream ended without a ${type}`);
      await this.#change();
    }
  }

  /** Resolves when the worker has ended its side. */
  async ended(): Promise<void> {
    while (!this.#ended) await this.#change();
  }

  #change(): Promise<void> {
    return new Promise((resolve) => this.#waiting.add(resolve));
  }

  #wake(): void {
    for (const resolve of this.#waiting) resolve();
    this.#waiting.clear();
  }
}

export class FakeCoordinator {
  readonly #server = new Server();
  readonly #sessions: FakeSession[] = [];
  readonly #waiting: ((session: FakeSession) => void)[] = [];
  readonly images: readonly DatasetImage[];
  /** Names of the images asked for, in order. */
  readonly imagesAsked: string[] = [];
  port = 0;

  /** @param files the data set: name and content; what is sent for an image may differ from what is announced */
  constructor(files: readonly { name: string; content: Buffer; sent?: Buffer }[] = []) {
    this.images = files.map(({ name, content }) => ({
      sha256: createHash("sha256").update(content).digest("hex"),
      name,
      bytes: content.byteLength,
    }));
    this.#server.addService(clusterService(), {
      Session: (stream: Stream) => {
        const session = new FakeSession(stream);
        const waiting = this.#waiting.shift();
        if (waiting === undefined) this.#sessions.push(session);
        else waiting(session);
      },
      FetchImage: (call: ServerWritableStream<ImageRequest__Output, ImageChunk>) => {
        const index = this.images.findIndex((image) => image.sha256 === call.request.sha256);
        const file = files[index];
        if (file === undefined) {
          call.emit("error", { code: status.NOT_FOUND, details: "no such image" });
          return;
        }
        this.imagesAsked.push(file.name);
        const data = file.sent ?? file.content;
        for (let at = 0; at < data.length; at += 1000) call.write({ data: data.subarray(at, at + 1000) });
        call.end();
      },
    });
  }

  /** @param port a port to use again; a free one by default */
  async listen(port = 0): Promise<this> {
    this.port = await new Promise<number>((resolve, reject) => {
      this.#server.bindAsync(`127.0.0.1:${port}`, ServerCredentials.createInsecure(), (error, bound) =>
        error === null ? resolve(bound) : reject(error),
      );
    });
    return this;
  }

  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  /** The next stream that a worker opens. */
  session(): Promise<FakeSession> {
    const session = this.#sessions.shift();
    if (session !== undefined) return Promise.resolve(session);
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** Greets the next worker as a coordinator does. */
  async welcome(
    changes: Parameters<typeof configurationSchema.parse>[0] = {},
    heartbeatSeconds = 60,
  ): Promise<FakeSession> {
    const session = await this.session();
    await session.next("hello");
    const configuration: Configuration = configurationSchema.parse(changes);
    session.send({
      type: "welcome",
      run: "test",
      configuration,
      images: this.images,
      heartbeatSeconds,
      incarnation: "1",
    });
    return session;
  }

  /** Dies: all streams break. */
  kill(): void {
    this.#server.forceShutdown();
  }
}
