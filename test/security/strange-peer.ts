/** A peer that speaks HTTP/2 as it likes, for what no gRPC client would send. */
import { type ClientHttp2Session, type ClientHttp2Stream, connect, type OutgoingHttpHeaders } from "node:http2";
import { clusterService } from "@mzsr/shared";
import { onTestFinished } from "vitest";

const CHUNK = Buffer.alloc(1024 * 1024);

/** How a call ended. */
export interface CallEnd {
  /** gRPC's status; undefined where none arrived. */
  readonly status: number | undefined;
  /** Bytes that the peer could send. */
  readonly sentBytes: number;
}

export class StrangePeer {
  readonly #session: ClientHttp2Session;

  constructor(port: number) {
    this.#session = connect(`http://127.0.0.1:${port}`);
    this.#session.on("error", () => undefined);
    onTestFinished(() => this.#session.destroy());
  }

  /** Resolves when the connection is gone. */
  gone(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#session.closed || this.#session.destroyed) resolve();
      else this.#session.once("close", resolve);
    });
  }

  leave(): void {
    this.#session.destroy();
  }

  open(call: "Session" | "FetchImage", headers: OutgoingHttpHeaders = {}): ClientHttp2Stream {
    const stream = this.#session.request({
      ":method": "POST",
      ":path": clusterService()[call].path,
      "content-type": "application/grpc",
      te: "trailers",
      ...headers,
    });
    return stream.on("error", () => undefined);
  }

  /** Opens a session and sends pieces for as long as they are taken; resolves when the stream is over. */
  send(pieces: Iterable<Buffer>, headers: OutgoingHttpHeaders = {}): Promise<CallEnd> {
    const stream = this.open("Session", headers);
    let status: number | undefined;
    let sentBytes = 0;
    const read = (told: OutgoingHttpHeaders) => {
      if (told["grpc-status"] !== undefined) status = Number(told["grpc-status"]);
    };
    stream.on("response", read).on("trailers", read).resume();
    const all = pieces[Symbol.iterator]();
    const next = () => {
      const piece = all.next();
      if (piece.done === true || stream.closed || stream.destroyed) return;
      stream.write(piece.value, (error) => {
        if (error) return;
        sentBytes += piece.value.length;
        next();
      });
    };
    next();
    return new Promise((resolve) => stream.once("close", () => resolve({ status, sentBytes })));
  }
}

/** The first five bytes of a message. */
export function prefixOf(bytes: number, compressed = false): Buffer {
  const prefix = Buffer.alloc(5);
  prefix.writeUInt8(compressed ? 1 : 0, 0);
  prefix.writeUInt32BE(bytes, 1);
  return prefix;
}

/** The beginning of a message of `declared` bytes: `sent` bytes of it, in pieces that share their memory. */
export function* largeMessage(declared: number, sent: number): Generator<Buffer> {
  yield prefixOf(declared);
  for (let at = 0; at < sent; at += CHUNK.length) yield CHUNK;
}

/** A message in one piece. */
export function messageOf(content: Buffer, compressed = false): Buffer {
  return Buffer.concat([prefixOf(content.length, compressed), content]);
}
