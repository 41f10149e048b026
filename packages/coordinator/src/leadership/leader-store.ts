/** Leader records and replicated checkpoints in NATS JetStream. */

import { InputError, messageOf } from "@mzsr/mzsr";
import {
  checkpointsBucket,
  connectionOptions,
  LEADERS_BUCKET,
  type LeaderEntry,
  type LeaderRecord,
  leaderKey,
  leaderRecordFromBytes,
  leaderRecordToBytes,
  type NatsOptions,
  openNats,
} from "@mzsr/shared";
import { type KV, type NatsConnection, NatsError, type ObjectStore } from "nats";
import { patiently, within } from "./patience.js";

/** JetStream's code for "somebody else has written since". */
const WRONG_LAST_SEQUENCE = 10_071;
const REQUEST_MS = 1_000;
/** An object is a few megabytes at most. */
const OBJECT_SECONDS = 5;

/** The record was written by somebody else in between. */
export class OvertakenError extends Error {
  override readonly name = "OvertakenError";
}

export class LeaderStore {
  readonly #connection: NatsConnection;
  readonly #records: KV;
  readonly #objects: ObjectStore;
  readonly #key: string;

  private constructor(connection: NatsConnection, records: KV, objects: ObjectStore, key: string) {
    this.#connection = connection;
    this.#records = records;
    this.#objects = objects;
    this.#key = key;
  }

  /**
   * Waits until NATS is there and answers, and makes the buckets that are not.
   * @param replicas servers of a NATS cluster that keep a copy
   * @param stopping ends the wait for NATS
   * @param onTrouble told why the wait goes on
   * @throws InputError when NATS has no JetStream, or does not answer for a minute; what `stopping` was aborted with
   */
  static async open(
    options: NatsOptions,
    run: string,
    replicas: number,
    stopping: AbortSignal = new AbortController().signal,
    onTrouble: (reason: string) => void = () => undefined,
  ): Promise<LeaderStore> {
    const connection = await connected(options, stopping);
    try {
      const { views } = connection.jetstream({ timeout: REQUEST_MS });
      const ask = <T>(work: () => Promise<T>) => patiently(work, () => !stopping.aborted, onTrouble);
      const records = await ask(() => views.kv(LEADERS_BUCKET, { history: 1, replicas }));
      const objects = await ask(() => views.os(checkpointsBucket(run), { replicas }));
      return new LeaderStore(connection, records, objects, leaderKey(run));
    } catch (thrown) {
      await connection.close();
      stopping.throwIfAborted();
      throw new InputError(`NATS keeps no records (${messageOf(thrown)})`, {
        where: options.servers.join(", "),
        expected: "a NATS server with JetStream (nats-server -js), or a cluster of no fewer than --nats-replicas",
      });
    }
  }

  /** The record as it stands now; undefined when there is none. */
  async read(): Promise<LeaderEntry | undefined> {
    const entry = await this.#records.get(this.#key);
    if (entry === null || entry.operation !== "PUT") return undefined;
    return { record: leaderRecordFromBytes(entry.value), revision: entry.revision };
  }

  /**
   * Writes the record if it still has `revision` (0: if there is none). Returns the new revision.
   * @throws OvertakenError when somebody else has written it
   */
  async write(record: LeaderRecord, revision: number): Promise<number> {
    try {
      const bytes = leaderRecordToBytes(record);
      if (revision === 0) return await this.#records.create(this.#key, bytes);
      return await this.#records.update(this.#key, bytes, revision);
    } catch (thrown) {
      if (thrown instanceof NatsError && thrown.api_error?.err_code === WRONG_LAST_SEQUENCE) {
        throw new OvertakenError("the leader's record was written by another coordinator");
      }
      throw thrown;
    }
  }

  async putObject(name: string, bytes: Uint8Array): Promise<void> {
    await within(OBJECT_SECONDS, `writing ${name}`, this.#objects.putBlob({ name }, bytes));
  }

  /** @throws Error when there is no such object, it goes away while it is read, or does not match its digest */
  async getObject(name: string): Promise<Uint8Array> {
    const object = await this.#objects.get(name);
    if (object === null) throw new Error(`there is no object ${name}`);
    const reader = object.data.getReader();
    try {
      const bytes = await within(OBJECT_SECONDS, `reading ${name}`, readAll(reader));
      // The library says null where it found nothing wrong, and resolves with undefined.
      const problem = await within(OBJECT_SECONDS, `checking ${name}`, object.error);
      if (problem instanceof Error) throw problem;
      return bytes;
    } catch (thrown) {
      await reader.cancel().catch(() => undefined);
      throw thrown;
    }
  }

  async objectNames(): Promise<string[]> {
    const objects = await within(OBJECT_SECONDS, "listing the objects", this.#objects.list());
    return objects.map(({ name }) => name);
  }

  async removeObjects(unwanted: (name: string) => boolean): Promise<void> {
    for (const name of await this.objectNames()) if (unwanted(name)) await this.#objects.delete(name);
  }

  async close(): Promise<void> {
    await this.#connection.close();
  }
}

/** The library cannot be told to give up: whoever is connected after all is let go then. */
async function connected(options: NatsOptions, stopping: AbortSignal): Promise<NatsConnection> {
  const connecting = openNats({
    ...connectionOptions({ ...options, role: "coordinator" }, "mzsr-standby"),
    waitOnFirstConnect: true,
  });
  let stop = () => {};
  const stopped = new Promise<never>((_, reject) => {
    stop = () => {
      connecting.then((connection) => connection.close()).catch(() => undefined);
      reject(stopping.reason);
    };
    if (stopping.aborted) stop();
    else stopping.addEventListener("abort", stop, { once: true });
  });
  try {
    return await Promise.race([connecting, stopped]);
  } finally {
    stopping.removeEventListener("abort", stop);
  }
}

async function readAll(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for (let part = await reader.read(); !part.done; part = await reader.read()) chunks.push(part.value);
  return Buffer.concat(chunks);
}
