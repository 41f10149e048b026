/**
 * Reads TensorBoard's event files for tests, by other means than those that write them: a CRC bit by bit, and the
 * messages of TensorFlow's event.proto and summary.proto with all their fields.
 */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import protobuf from "protobufjs";

const SCHEMA = `
syntax = "proto3";
message Event {
  double wall_time = 1;
  int64 step = 2;
  oneof what {
    string file_version = 3;
    bytes graph_def = 4;
    Summary summary = 5;
    bytes log_message = 6;
    SessionLog session_log = 7;
    bytes tagged_run_metadata = 8;
    bytes meta_graph_def = 9;
  }
  bytes source_metadata = 10;
}
message SessionLog {
  enum SessionStatus { STATUS_UNSPECIFIED = 0; START = 1; STOP = 2; CHECKPOINT = 3; }
  SessionStatus status = 1;
  string checkpoint_path = 2;
  string msg = 3;
}
message Summary {
  message Image { int32 height = 1; int32 width = 2; int32 colorspace = 3; bytes encoded_image_string = 4; }
  message Value {
    string node_name = 7;
    string tag = 1;
    bytes metadata = 9;
    oneof value {
      float simple_value = 2;
      bytes obsolete_old_style_histogram = 3;
      Image image = 4;
      bytes histo = 5;
      bytes audio = 6;
      bytes tensor = 8;
    }
  }
  repeated Value value = 1;
}
`;

export interface ReadValue {
  readonly tag: string;
  readonly simpleValue?: number;
  readonly image?: {
    readonly height: number;
    readonly width: number;
    readonly colorspace: number;
    readonly encodedImageString: Uint8Array;
  };
}

export interface ReadEvent {
  readonly wallTime?: number;
  readonly step?: number;
  readonly fileVersion?: string;
  readonly sessionLog?: { readonly status: string };
  readonly summary?: { readonly value: readonly ReadValue[] };
}

/** The events of each event file in a folder, in the order in which TensorBoard reads the files. */
export async function readEventFiles(folder: string): Promise<ReadEvent[][]> {
  const names = (await readdir(folder)).filter((name) => name.includes("tfevents")).sort();
  return Promise.all(names.map(async (name) => eventsIn(await readFile(join(folder, name)))));
}

/** @throws Error for a file that does not consist of whole records with the right checksums */
export function eventsIn(file: Buffer): ReadEvent[] {
  const type = protobuf.parse(SCHEMA).root.lookupType("Event");
  return recordsIn(file).map((data) => type.toObject(type.decode(data), { longs: Number, enums: String }) as ReadEvent);
}

/** The scalars and pictures that TensorBoard keeps: tag → step → value, with what a restart makes it forget. */
export function shownBy(files: readonly (readonly ReadEvent[])[]): Map<string, Map<number, ReadValue>> {
  const shown = new Map<string, Map<number, ReadValue>>();
  let sessions = 0;
  for (const { step = 0, sessionLog, summary } of files.flat()) {
    if (sessionLog?.status === "START" && sessions++ > 0) forgetFrom(step, shown);
    for (const value of summary?.value ?? []) {
      const series = shown.get(value.tag) ?? new Map<number, ReadValue>();
      series.set(step, value);
      shown.set(value.tag, series);
    }
  }
  return shown;
}

function forgetFrom(first: number, shown: Map<string, Map<number, ReadValue>>): void {
  for (const series of shown.values()) {
    for (const step of series.keys()) if (step >= first) series.delete(step);
  }
}

function recordsIn(file: Buffer): Buffer[] {
  const records: Buffer[] = [];
  for (let at = 0; at < file.length; ) {
    const length = Number(file.readBigUInt64LE(at));
    requireCrc(file.subarray(at, at + 8), file.readUInt32LE(at + 8));
    const data = file.subarray(at + 12, at + 12 + length);
    requireCrc(data, file.readUInt32LE(at + 12 + length));
    records.push(data);
    at += 16 + length;
  }
  return records;
}

function requireCrc(bytes: Buffer, masked: number): void {
  const rotated = (masked - 0xa282ead8) >>> 0;
  const stored = ((rotated << 15) | (rotated >>> 17)) >>> 0;
  if (stored !== crc32c(bytes)) throw new Error("a record has a wrong checksum");
}

export function crc32c(bytes: Uint8Array): number {
  let crc = ~0;
  for (const byte of bytes) {
    for (let bit = 0; bit < 8; bit++) {
      const carry = (crc ^ (byte >>> bit)) & 1;
      crc = (crc >>> 1) ^ (carry ? 0x82f63b78 : 0);
    }
  }
  return ~crc >>> 0;
}
