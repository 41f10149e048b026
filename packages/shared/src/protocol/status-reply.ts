/**
 * A cluster's status as the answer to a question over NATS: JSON, and gzip of it where it is large, because a message
 * holds no more than a megabyte, which 3,000 workers fill.
 */
import { gunzipSync, gzipSync } from "node:zlib";
import type { ClusterStatus } from "./http-api.js";

/** Half of what a NATS server takes unless it is told otherwise. */
const MOST_PLAIN_BYTES = 512 * 1024;

export function statusToBytes(status: ClusterStatus): Uint8Array {
  const json = Buffer.from(JSON.stringify(status));
  return json.length <= MOST_PLAIN_BYTES ? json : gzipSync(json, { level: 1 });
}

/** @throws Error when it is no status */
export function statusFromBytes(bytes: Uint8Array): ClusterStatus {
  const zipped = bytes[0] === 0x1f && bytes[1] === 0x8b;
  return JSON.parse((zipped ? gunzipSync(bytes) : Buffer.from(bytes)).toString()) as ClusterStatus;
}
