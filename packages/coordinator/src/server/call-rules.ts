/**
 * What every call is held to before any of its messages is read: that it shows the cluster's token, and that its messages
 * will not be compressed. A call that is refused costs no more than its headers: its stream is reset, and what its peer has
 * sent or still sends is not kept.
 */
import { constants, type Http2Stream } from "node:http2";
import { Metadata, type ServerInterceptingCallInterface, type ServerInterceptor, status } from "@grpc/grpc-js";
import { tokenShown } from "@mzsr/shared";
import type { CallRefusal, OnRefusal, RefusalKind } from "./refusal.js";
import type { Tokens } from "./tokens.js";

/** How long a peer that was let in may take to read why its stream ends. */
const READING_MS = 10_000;

const STATUS_OF: Readonly<Partial<Record<RefusalKind, status>>> = {
  token: status.UNAUTHENTICATED,
  expired: status.UNAUTHENTICATED,
  revoked: status.UNAUTHENTICATED,
  compressed: status.UNIMPLEMENTED,
  "too-large": status.RESOURCE_EXHAUSTED,
};

interface CallInside {
  readonly stream?: Http2Stream;
  readonly metadata?: Metadata;
  readonly incomingEncoding?: string;
  readonly metadataSent?: boolean;
}

/** Refuses calls before their messages are read. */
export function refuseStrangers(tokens: Tokens, onRefusal: OnRefusal): ServerInterceptor {
  return ({ requestStream: joins }, call) => {
    const refusal = refusalOf(call, tokens, joins);
    if (refusal !== undefined) {
      onRefusal(refusal.reason, call.getPeer(), refusal.kind);
      refuseCall(call, refusal);
    }
    // A call that has its status already is begun by nobody.
    return call as ReturnType<ServerInterceptor>;
  };
}

function refusalOf(call: ServerInterceptingCallInterface, tokens: Tokens, joins: boolean): CallRefusal | undefined {
  const { metadata, incomingEncoding, stream } = call as unknown as CallInside;
  if (metadata === undefined || incomingEncoding === undefined || stream === undefined) {
    throw new Error("this version of @grpc/grpc-js keeps the metadata of its calls in another way");
  }
  const refusal = tokens.refusal(tokenShown(metadata), joins);
  if (refusal !== undefined || incomingEncoding === "identity") return refusal;
  return { kind: "compressed", reason: `messages compressed with ${JSON.stringify(incomingEncoding)} are not taken` };
}

/** Ends a call with the reason, and resets its stream: its peer need not send the rest, and what comes is not kept. */
export function refuseCall(call: ServerInterceptingCallInterface, { kind, reason }: CallRefusal): void {
  const { stream, metadataSent } = call as unknown as CallInside & { readonly stream: Http2Stream };
  if (metadataSent === true) closeAfterStatus(stream);
  const metadata = new Metadata();
  if (kind === "compressed") metadata.set("grpc-accept-encoding", "identity");
  call.sendStatus({ code: STATUS_OF[kind] ?? status.PERMISSION_DENIED, details: reason, metadata });
  if (metadataSent !== true && !stream.destroyed) stream.close(constants.NGHTTP2_NO_ERROR);
}

/**
 * Resets a stream whose peer does not end its side when the status is there, or does not read it. Not at once: a reset may
 * overtake the status. What comes meanwhile is thrown away.
 */
export function closeAfterStatus(stream: Http2Stream): void {
  const timer = setTimeout(() => cancel(stream), READING_MS).unref();
  stream.once("close", () => clearTimeout(timer));
}

/** Ends a stream at once, with what waits to be sent. */
export function cancel(stream: Http2Stream): void {
  if (stream.destroyed) return;
  stream.close(constants.NGHTTP2_CANCEL);
  stream.destroy();
}
