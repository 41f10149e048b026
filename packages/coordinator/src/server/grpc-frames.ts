/**
 * The frames of a gRPC stream, made and cut here rather than in @grpc/grpc-js.
 *
 * A gRPC message travels as five bytes (a flag and the length) and the message. grpc-js makes that frame anew for each
 * stream: with 900 KB of parameters and 256 workers that is 256 allocations and copies a step. A frame that is made once
 * may go to any number of streams; what comes in is cut by a `FrameReader`. The call's inside is private to grpc-js: the
 * test beside this file fails when a new version makes this useless or wrong.
 */
import type { Http2Stream } from "node:http2";
import type { ServerDuplexStream, ServerInterceptingCallInterface, ServerInterceptor } from "@grpc/grpc-js";
import { cancel, closeAfterStatus } from "./call-rules.js";
import { FrameReader, PREFIX_BYTES, type Violation } from "./frame-reader.js";
import type { MessageMemory } from "./message-memory.js";

/** A message as the bytes that go over the wire, its gRPC frame included. */
export class Frame {
  /** The five bytes and the message. Never written to: streams share it. */
  readonly bytes: Buffer;

  constructor(message: Uint8Array) {
    this.bytes = Buffer.allocUnsafe(PREFIX_BYTES + message.length);
    this.bytes.writeUInt8(0, 0);
    this.bytes.writeUInt32BE(message.length, 1);
    this.bytes.set(message, PREFIX_BYTES);
  }
}

interface CallInside {
  serializeMessage?: (message: unknown) => Buffer;
  decoder?: object;
  handleDataFrame?: (data: Buffer) => void;
  readonly stream?: Http2Stream;
}

export interface FrameRules {
  /** Where large messages arrive until `messageRead` is told. */
  readonly memory: MessageMemory;
  /** Largest message that a call may bring until `allowMessages` says otherwise, in bytes. */
  readonly firstBytes: number;
  /** A call brings a message that may not come: it is to be ended. */
  readonly onViolation: (call: ServerInterceptingCallInterface, violation: Violation, reason: string) => void;
}

/** Lets a server's streams send a `Frame` as it is (other messages are framed as ever), and read with a `FrameReader`. */
export function ownFrames({ memory, firstBytes, onViolation }: FrameRules): ServerInterceptor {
  return (_method, call) => {
    const inside = call as unknown as CallInside;
    const { serializeMessage, decoder, handleDataFrame, stream } = inside;
    if (!serializeMessage || !decoder || !handleDataFrame || !stream) {
      throw new Error("this version of @grpc/grpc-js frames its messages in another way");
    }
    inside.serializeMessage = (message) =>
      message instanceof Frame ? message.bytes : serializeMessage.call(call, message);
    const reader = new FrameReader(firstBytes, memory, {
      pause: () => stream.pause(),
      resume: (pieces) => {
        for (const piece of pieces) handleDataFrame.call(call, piece);
        stream.resume();
      },
      refuse: (violation, reason) => onViolation(call, violation, reason),
    });
    inside.decoder = reader;
    stream.once("close", () => reader.close());
    // Itself, not another object around it: the stream of a call is found through it.
    return call as ServerInterceptingCallInterface as ReturnType<ServerInterceptor>;
  };
}

type Call = Pick<ServerDuplexStream<unknown, unknown>, "getPeer">;

/** From now on a call's messages may be as large as `bytes`. */
export function allowMessages(call: Call, bytes: number): void {
  readerOf(call).allow(bytes);
}

/**
 * The message that the call gave last has been read, and nobody has a view of it any more: its memory is used for others.
 * To be told of each of a call's messages.
 */
export function messageRead(call: Call): void {
  readerOf(call).release();
}

function readerOf(call: Call): FrameReader {
  const { decoder } = (call as unknown as { readonly call: CallInside }).call;
  if (!(decoder instanceof FrameReader)) throw new Error("the call's messages are not read with ownFrames");
  return decoder;
}

/** The call has been ended: its stream ends a little later, whether its peer ends its side or not. */
export function endAfterStatus(call: Call): void {
  const { stream } = (call as unknown as { readonly call: CallInside }).call;
  if (stream !== undefined && !stream.destroyed) closeAfterStatus(stream);
}

/**
 * Ends a stream at once, with what waits to be sent. A stream whose peer does not read never ends otherwise: gRPC's
 * status waits behind the messages.
 */
export function resetStream(call: Call): void {
  const { stream } = (call as unknown as { readonly call: CallInside }).call;
  if (stream === undefined) throw new Error("this version of @grpc/grpc-js keeps its HTTP/2 streams in another way");
  cancel(stream);
}
