/** Sends image files of the run's data set to workers that don't have them. */

import { once } from "node:events";
import { createReadStream } from "node:fs";
import { type ServerWritableStream, status } from "@grpc/grpc-js";
import { messageOf } from "@mzsr/mzsr";
import { IMAGE_CHUNK_BYTES, type ImageChunk, type ImageRequest__Output } from "@mzsr/shared";
import type { DatasetFile } from "../tasks/dataset.js";
import { tokenMatches } from "./token.js";

type ImageCall = ServerWritableStream<ImageRequest__Output, ImageChunk>;

/** Handler of FetchImage: only files of the data set, asked for by content hash, leave. */
export function imageHandler(
  images: readonly DatasetFile[],
  token: string | undefined,
): (call: ImageCall) => Promise<void> {
  const byHash = new Map(images.map((image) => [image.sha256, image]));
  return async (call) => {
    const image = byHash.get(call.request.sha256);
    if (!tokenMatches(call.request.token, token)) return fail(call, status.UNAUTHENTICATED, "the token is not right");
    if (image === undefined) return fail(call, status.NOT_FOUND, "the data set has no image of that hash");
    try {
      await sendFile(call, image.path);
    } catch (thrown) {
      if (!call.cancelled) fail(call, status.UNAVAILABLE, `${image.name} cannot be read (${messageOf(thrown)})`);
    }
  };
}

async function sendFile(call: ImageCall, path: string): Promise<void> {
  const gone = new AbortController();
  call.once("cancelled", () => gone.abort());
  for await (const data of createReadStream(path, { highWaterMark: IMAGE_CHUNK_BYTES, signal: gone.signal })) {
    if (!call.write({ data })) await once(call, "drain", { signal: gone.signal });
  }
  call.end();
}

function fail(call: ImageCall, code: status, details: string): void {
  call.emit("error", { code, details });
}
