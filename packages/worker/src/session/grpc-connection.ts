/**
 * One connection to the coordinator and the session stream on it. Every reconnect makes a new one with a channel of its
 * own, so that the session's backoff is the only one.
 */
import { type ClientDuplexStream, connectivityState, type ServiceError, status } from "@grpc/grpc-js";
import { knownReason, messageOf, RunError } from "@mzsr/mzsr";
import {
  authorization,
  type ClusterClient,
  type CoordinatorMessage__Output,
  type CoordinatorToWorker,
  clusterClient,
  coordinatorMessageFromProto,
  type DatasetImage,
  type WorkerMessage,
  type WorkerToCoordinator,
  workerMessageToProto,
} from "@mzsr/shared";
import { type ClientTls, channelCredentials } from "./credentials.js";

/** A host that does not even refuse is given up after this long. */
const CONNECT_TIMEOUT_MS = 10_000;

/** How long a stream that we ended may take to end on the other side too. */
const CLOSE_TIMEOUT_MS = 2_000;

export interface ConnectionOptions {
  /** host:port */
  readonly address: string;
  readonly token: string;
  readonly tls: ClientTls | undefined;
  /** Connect through the proxy that the environment names (grpc_proxy, https_proxy, http_proxy), but for no_proxy. */
  readonly proxy: boolean;
}

export interface ConnectionListener {
  connected(): void;
  message(message: CoordinatorToWorker): void;
  /** Once, whether it was connected before or not. */
  closed(reason: string): void;
}

export class GrpcConnection {
  readonly #options: ConnectionOptions;
  readonly #listener: ConnectionListener;
  readonly #client: ClusterClient;
  #stream: ClientDuplexStream<WorkerMessage, CoordinatorMessage__Output> | undefined;
  #closed = false;

  /** Starts connecting. */
  constructor(options: ConnectionOptions, listener: ConnectionListener) {
    this.#options = options;
    this.#listener = listener;
    this.#client = clusterClient(options.address, channelCredentials(options.tls), {
      "grpc.use_local_subchannel_pool": 1,
      ...(options.proxy ? { "grpc.enable_http_proxy": 1 } : {}),
    });
    this.#connect(Date.now() + CONNECT_TIMEOUT_MS);
  }

  /**
   * Sends a message; dropped when the stream is gone, as its lease then is.
   * @param sent told when the stream has taken it
   */
  send(message: WorkerToCoordinator, sent: () => void = () => undefined): void {
    if (!this.#closed) this.#stream?.write(workerMessageToProto(message), sent);
  }

  /** Gets an image file over the same connection. @throws RunError when it does not come, or more than it should */
  async fetchImage(image: DatasetImage): Promise<Buffer> {
    const chunks: Buffer[] = [];
    let bytes = 0;
    const call = this.#client.fetchImage({ sha256: image.sha256 }, authorization(this.#options.token));
    try {
      for await (const chunk of call as AsyncIterable<{ data: Buffer }>) {
        bytes += chunk.data.byteLength;
        if (bytes > image.bytes) throw new RunError(`more than the ${image.bytes} bytes announced`);
        chunks.push(chunk.data);
      }
    } catch (error) {
      call.cancel();
      throw new RunError(`image ${image.name} did not come from the coordinator: ${this.#reasonOf(error)}`);
    }
    return Buffer.concat(chunks);
  }

  /** Ends the stream after what was sent, and then the connection. */
  close(reason: string): void {
    if (this.#closed) return;
    const stream = this.#stream;
    stream?.end();
    setTimeout(() => stream?.cancel(), CLOSE_TIMEOUT_MS).unref();
    this.#finish(reason);
  }

  /** Waits until the channel works, or opens the stream all the same: its error then tells why the channel does not. */
  #connect(deadline: number): void {
    const channel = this.#client.getChannel();
    const state = channel.getConnectivityState(true);
    if (state === connectivityState.READY) {
      this.#openStream();
      this.#listener.connected();
    } else if (state === connectivityState.TRANSIENT_FAILURE || state === connectivityState.SHUTDOWN) {
      this.#openStream();
    } else {
      channel.watchConnectivityState(state, deadline, (error) => {
        if (this.#closed) return;
        if (error === undefined) this.#connect(deadline);
        else this.#finish(`no answer from ${this.#options.address} in ${CONNECT_TIMEOUT_MS / 1000} s`);
      });
    }
  }

  #openStream(): void {
    const stream = this.#client.session(authorization(this.#options.token));
    this.#stream = stream;
    stream.on("data", (wire: CoordinatorMessage__Output) => this.#receive(wire));
    stream.on("error", (error: ServiceError) => this.#failed(error));
    stream.on("end", () => this.#finish("the coordinator closed the stream"));
  }

  #receive(wire: CoordinatorMessage__Output): void {
    if (this.#closed) return;
    let message: CoordinatorToWorker;
    try {
      message = coordinatorMessageFromProto(wire);
    } catch (error) {
      // A coordinator that cannot be understood cannot be worked for: leave, and let the backoff try again.
      this.#stream?.cancel();
      this.#finish(`a message could not be understood: ${messageOf(error)}`);
      return;
    }
    this.#listener.message(message);
  }

  /** A coordinator that does not know the token says so before it reads a message, and would the next time. */
  #failed(error: ServiceError): void {
    if (error.code === status.UNAUTHENTICATED && !this.#closed) {
      this.#listener.message({ type: "refusal", reason: error.details, retry: false });
    }
    this.#finish(this.#reasonOf(error));
  }

  #reasonOf(error: unknown): string {
    const { code, details } = error as Partial<ServiceError>;
    if (code === undefined) return messageOf(error);
    if (details === undefined || details === "") return `gRPC status ${status[code] ?? code}`;
    // gRPC knows no reason where a proxy does not answer, or refuses.
    const { address, proxy } = this.#options;
    const through = proxy ? ", through the proxy that the environment names if it names one" : "";
    return knownReason(unwrapped(details)) ?? `no connection to ${address}${through}`;
  }

  #finish(reason: string): void {
    if (this.#closed) return;
    this.#closed = true;
    // Closing the channel lets calls in flight end first, so a goodbye still leaves.
    this.#client.close();
    this.#listener.closed(reason);
  }
}

/** What gRPC wraps a channel's failure in, and the time that it adds, which would make each attempt's reason a new one. */
const WRAPPED = /^No connection established\. Last error: (?:Error: )?(.+?)(?:\s+\([-\d:.TZ]+\))?\. Resolution note:/s;
/** OpenSSL's `thread:error:code:library:function:REASON:file:line:…`. */
const OPENSSL = /^[\dA-F]+:error:[\dA-F]+:[^:]*:[^:]*:([^:]+):/;

function unwrapped(details: string): string {
  const failure = WRAPPED.exec(details)?.[1] ?? details;
  return OPENSSL.exec(failure)?.[1] ?? failure;
}
