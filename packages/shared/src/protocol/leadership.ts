/**
 * Who leads a run, where several coordinators stand by (docs/reliability.md). The leader keeps one record per run in a
 * JetStream key-value bucket and writes it again and again: a new revision is its sign of life. Workers ask the leader
 * for it.
 */
import { setTimeout as delay } from "node:timers/promises";
import { InputError, messageOf, RunError } from "@mzsr/mzsr";
import { z } from "zod";
import type { NatsLink } from "./nats.js";
import { leaderSubject, subjectToken } from "./subjects.js";

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
 * What the leader itself says: only one whose term is valid answers. Nobody reads the record in JetStream for it, since who
 * may ask JetStream anything may have its answer written anywhere, over the record for instance.
 * @throws RunError when nobody answers, or NATS is away; InputError when the answer is no record
 */
export async function askLeader(link: NatsLink, run: string): Promise<LeaderRecord> {
  return leaderRecordFromBytes(await link.request(leaderSubject(run), new Uint8Array(), REQUEST_MS));
}

/**
 * The address of a run's leader.
 * @throws RunError when there is none within `waitMs`
 */
export async function findLeader(link: NatsLink, run: string, waitMs: number): Promise<string> {
  const deadline = performance.now() + waitMs;
  let trouble = "nobody leads it";
  while (performance.now() < deadline) {
    try {
      const { state, grpcAddress } = await askLeader(link, run);
      if (state === "leading" && grpcAddress !== "") return grpcAddress;
    } catch (thrown) {
      trouble = messageOf(thrown);
    }
    await delay(POLL_MS);
  }
  throw new RunError(`no coordinator leads the run ${run} now (${trouble})`);
}
