/** A worker's heartbeat on NATS: JSON, one message a second. */

import { InputError, messageOf } from "@mzsr/mzsr";
import { z } from "zod";
import { isVisible } from "./visible.js";

const share = z.number().min(0).max(1);
/** A text that cannot disturb a log or a page. */
const seen = (longest: number) => z.string().max(longest).refine(isVisible, "has characters that cannot be seen");
const measure = z.number().min(0).finite();

const heartbeatSchema = z.object({
  worker: seen(256).min(1),
  incarnation: seen(256).min(1),
  /** Milliseconds since 1970 on the worker's clock. */
  at: measure,
  busySlots: z.int().min(0),
  slots: z.int().min(1),
  backend: seen(64),
  tasksDone: z.int().min(0),
  /** Share of its slots' time spent on tasks since the last heartbeat, 0…1. */
  busyRatio: z.number().min(0).max(1),
  rssBytes: measure,
  gpu: z
    .object({
      utilisation: share,
      memoryUsedBytes: measure,
      memoryTotalBytes: measure,
      name: seen(256).optional(),
      driver: seen(256).optional(),
      /** Degrees Celsius. */
      temperature: z.number().finite().optional(),
    })
    .optional(),
  /** The newest batches, where tasks are computed in batches: tasks of one, and shares of its time. */
  batches: z
    .object({
      tasks: measure,
      shares: z.object({ data: share, upload: share, compute: share, readBack: share }),
    })
    .optional(),
});

export type WorkerHeartbeat = z.infer<typeof heartbeatSchema>;

export function heartbeatToBytes(heartbeat: WorkerHeartbeat): Uint8Array {
  return Buffer.from(JSON.stringify(heartbeat), "utf8");
}

/** @throws InputError when the bytes are not a heartbeat */
export function heartbeatFromBytes(bytes: Uint8Array): WorkerHeartbeat {
  const where = "heartbeat";
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf8"));
  } catch (error) {
    throw new InputError(`is not JSON (${messageOf(error)})`, { where });
  }
  const parsed = heartbeatSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new InputError(`${issue?.path.join(".") ?? ""}: ${issue?.message ?? "is not valid"}`, { where });
}
