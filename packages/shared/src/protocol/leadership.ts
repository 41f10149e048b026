/**
 * Who leads a run, where several coordinators stand by (docs/reliability.md). The leader keeps one record per run in a
 * JetStream key-value bucket and writes it again and again: a new revision is its sign of life. Workers read the record
 * to find the leader.
 */
import { setTimeout as delay } from "node:timers/promises";
import { InputError, messageOf, RunError } from "@mzsr/mzsr";
import { z } from "zod";
import type { NatsLink } from "./nats.js";
import { subjectToken } from "./subjects.js";

/** The key-value bucket of all runs' leaders. */
export const LEADERS_BUCKET = "mzsr-leaders";

const REQUEST_MS = 1_000;
const POLL_MS = 100;

const schema = z.object({
  /** Changes with every term of every coordinator. */
  holder: z.string().min(1).max(256),
  /** `released`: anybody may lead now; `finished`: nobody needs to. */
  state: z.enum(["leading", "released", "finished"]),
  /** host:port for workers; empty while the leader is starting. */
  grpcAddress: z.string().max(300),
  /** host:port for people. */
  httpAddress: z.string().max(300),
  /** A record that nobody has written for so long is without a leader. */
  leaseMs: z.number().min(100).max(3_600_000),
  /** The newest checkpoint in the run's object store. */
  checkpoint: z.object({ object: z.string().min(1).max(256), step: z.int().min(0) }).nullable(),
});

/** The record of a run's leader. */
export type LeaderRecord = z.infer<typeof schema>;

export interface LeaderEntry {
  readonly record: LeaderRecord;
  /** Grows with every write. */
  readonly revision: number;
}

/** The key of a run in the bucket. */
export function leaderKey(run: string): string {
  return subjectToken(run);
}

/** The object store of a run's checkpoints. */
export function checkpointsBucket(run: string): string {
  return `mzsr-checkpoints-${subjectToken(run).replaceAll("=", "_")}`;
}

export function leaderRecordToBytes(record: LeaderRecord): Uint8Array {
  return Buffer.from(JSON.stringify(record), "utf8");
}

/** @throws InputError when the bytes are not a leader's record */
export function leaderRecordFromBytes(bytes: Uint8Array): LeaderRecord {
  const where = "leader record";
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf8"));
  } catch (thrown) {
    throw new InputError(`is not JSON (${messageOf(thrown)})`, { where });
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new InputError(`${issue?.path.join(".") ?? ""}: ${issue?.message ?? "is not valid"}`, { where });
}

/**
 * The record as it stands now, asked for with a plain request to JetStream; undefined when there is none.
 * @throws RunError when NATS is away or has no JetStream
 */
export async function readLeader(link: NatsLink, run: string): Promise<LeaderEntry | undefined> {
  const ask = JSON.stringify({ last_by_subj: `$KV.${LEADERS_BUCKET}.${leaderKey(run)}` });
  const subject = `$JS.API.STREAM.MSG.GET.KV_${LEADERS_BUCKET}`;
  const answer = Buffer.from(await link.request(subject, Buffer.from(ask), REQUEST_MS)).toString("utf8");
  const { message, error } = JSON.parse(answer) as {
    message?: { seq: number; data?: string };
    error?: { code: number; description?: string };
  };
  if (message?.data !== undefined) {
    return { record: leaderRecordFromBytes(Buffer.from(message.data, "base64")), revision: message.seq };
  }
  if (error !== undefined && error.code !== 404) throw new RunError(`JetStream: ${error.description ?? error.code}`);
  return undefined;
}

/**
 * The address of a run's leader that is alive: one that shows a sign of life while this waits for it.
 * @throws RunError when there is none within `waitMs`
 */
export async function findLeader(link: NatsLink, run: string, waitMs: number): Promise<string> {
  const deadline = performance.now() + waitMs;
  let first: number | undefined;
  let trouble = "nobody leads it";
  while (performance.now() < deadline) {
    try {
      const entry = await readLeader(link, run);
      first ??= entry?.revision ?? 0;
      const alive = entry !== undefined && entry.revision > first && entry.record.state === "leading";
      if (alive && entry.record.grpcAddress !== "") return entry.record.grpcAddress;
    } catch (thrown) {
      trouble = messageOf(thrown);
    }
    await delay(POLL_MS);
  }
  throw new RunError(`no coordinator leads the run ${run} now (${trouble})`);
}
