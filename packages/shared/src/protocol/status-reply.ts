/**
 * A cluster's status as the answer to a question over NATS: JSON, and gzip of it where it is large, because a message
 * holds no more than a megabyte, which 3,000 workers fill.
 */
import { gunzipSync, gzipSync } from "node:zlib";
import { InputError, messageOf } from "@mzsr/mzsr";
import type { ClusterStatus } from "./http-api.js";

/** Half of what a NATS server takes unless it is told otherwise. */
const MOST_PLAIN_BYTES = 512 * 1024;
/** Of 100,000 workers; a megabyte of zeroes unpacks to a thousand. */
const MOST_UNZIPPED_BYTES = 64 * 1024 * 1024;

export function statusToBytes(status: ClusterStatus): Uint8Array {
  const json = Buffer.from(JSON.stringify(status));
  return json.length <= MOST_PLAIN_BYTES ? json : gzipSync(json, { level: 1 });
}

/** @throws InputError when it is no status */
export function statusFromBytes(bytes: Uint8Array): ClusterStatus {
  const where = "status over NATS";
  const zipped = bytes[0] === 0x1f && bytes[1] === 0x8b;
  let value: unknown;
  try {
    value = JSON.parse(
      (zipped ? gunzipSync(bytes, { maxOutputLength: MOST_UNZIPPED_BYTES }) : Buffer.from(bytes)).toString(),
    );
  } catch (thrown) {
    throw new InputError(`cannot be read (${messageOf(thrown)})`, { where });
  }
  const { run, workers } = (value ?? {}) as Partial<ClusterStatus>;
  if (typeof run !== "string" || !Array.isArray(workers)) throw new InputError("is not a cluster's status", { where });
  return value as ClusterStatus;
}
