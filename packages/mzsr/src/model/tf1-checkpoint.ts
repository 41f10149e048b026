/**
 * Reads checkpoints of TensorFlow 1 (`tf.train.Saver`, format V2): an `.index` file, which is a LevelDB table from
 * tensor names to BundleEntryProto, and `.data-…` shards with the raw tensors. Just what an import needs: no
 * compression (TensorFlow writes none), little-endian, float32, whole tensors. All checksums are checked.
 *
 * Formats: leveldb/doc/table_format.md; tensorflow/core/protobuf/tensor_bundle.proto.
 */
import { InputError } from "../errors.js";
import { crc32cTable, maskedCrc } from "../files/crc32c.js";
import { readInputFile } from "../files/input-file.js";
import { type Architecture, parameterLayout } from "./layout.js";
import type { Model } from "./model.js";
import { LARGEST_MODEL_BYTES } from "./model-file.js";
import type { NamedTensor } from "./safetensors.js";

const FOOTER_BYTES = 48;
const TABLE_MAGIC = 0xdb4775248b80fb57n;
const DT_FLOAT = 1;
/** The index of the public implementation's networks, with the optimiser's slots, has some kilobytes. */
const LARGEST_INDEX_BYTES = 4 * 1024 * 1024;
/** Of all shards together: a network, and two slots of Adam for each of its numbers. */
const LARGEST_DATA_BYTES = 3 * LARGEST_MODEL_BYTES;
/** A shard a parameter server; public networks have one. */
const MOST_SHARDS = 1000;
/** A tensor's name. Keys share prefixes, so that a small file may stand for many long ones. */
const LONGEST_KEY = 4096;

/** Where a tensor lies, as the index says. */
interface BundleEntry {
  readonly dtype: number;
  readonly shape: readonly number[];
  readonly shard: number;
  readonly offset: number;
  readonly size: number;
  readonly crc: number;
}

/**
 * Imports a network from a checkpoint of the public implementation: tensors `…/conv{l}/kernel` and `…/conv{l}/bias`,
 * optimiser slots left aside.
 *
 * @param prefix the checkpoint's path without `.index`
 * @param scale what the network was trained for; the checkpoint does not say
 * @throws InputError when files are missing or damaged, or hold no such network
 */
export async function importTf1Checkpoint(prefix: string, scale: number): Promise<Model> {
  const tensors = await readTf1Checkpoint(prefix);
  const scope = scopeOf(tensors, prefix);
  const architecture = architectureOf(tensors, scope);
  const { entries, size } = parameterLayout(architecture);
  // All shapes first: they tell whether there are as many numbers as the first one claims.
  const values = entries.map(({ name, shape }) => {
    const tensor = tensors.get(scope + name);
    if (tensor?.shape.join() !== shape.join()) {
      throw new InputError(`tensor ${scope}${name} is ${tensor ? `of shape [${tensor.shape}]` : "missing"}`, {
        where: `${prefix}.index`,
        expected: `[${shape}]`,
      });
    }
    return tensor.data;
  });
  const parameters = new Float32Array(size);
  entries.forEach(({ offset }, i) => void parameters.set(values[i]!, offset));
  return { architecture, scale, parameters, innerRates: undefined, metadata: { imported: "TensorFlow 1 checkpoint" } };
}

/** All float32 tensors of a checkpoint by name. */
export async function readTf1Checkpoint(prefix: string): Promise<Map<string, NamedTensor>> {
  const crc32c = crc32cTable();
  const where = `${prefix}.index`;
  const { shards, entries } = readIndex(await readInput(where, LARGEST_INDEX_BYTES), crc32c, where);
  if (!(shards <= MOST_SHARDS)) {
    throw new InputError(`checkpoint of ${shards} shards`, { where, expected: `at most ${MOST_SHARDS}` });
  }
  const paths = Array.from({ length: shards }, (_, i) => `${prefix}.data-${fiveDigits(i)}-of-${fiveDigits(shards)}`);
  const data: Uint8Array[] = [];
  let left = LARGEST_DATA_BYTES;
  for (const path of paths) {
    const shard = await readInput(path, left);
    left -= shard.length;
    data.push(shard);
  }
  checkSizes(entries, LARGEST_DATA_BYTES - left, where);
  const tensors = new Map<string, NamedTensor>();
  for (const [name, entry] of entries) {
    if (entry.dtype !== DT_FLOAT) continue;
    const bytes = data[entry.shard]?.subarray(entry.offset, entry.offset + entry.size);
    const file = paths[entry.shard] ?? where;
    if (bytes?.length !== entry.size) throw new InputError(`cut short within tensor ${name}`, { where: file });
    if (maskedCrc(crc32c(bytes)) !== entry.crc) throw new InputError(`tensor ${name} is damaged`, { where: file });
    const values = new Float32Array(bytes.slice().buffer);
    if (!values.every(Number.isFinite)) throw new InputError(`tensor ${name} is not finite`, { where: file });
    tensors.set(name, { name, shape: entry.shape, data: values });
  }
  return tensors;
}

function scopeOf(tensors: Map<string, NamedTensor>, prefix: string): string {
  const first = [...tensors.keys()].find((name) => /(^|\/)conv1\/kernel$/.test(name));
  if (first !== undefined) return first.slice(0, -"conv1/kernel".length);
  throw new InputError("no network in it", { where: `${prefix}.index`, expected: "tensors …/conv1/kernel, …" });
}

function architectureOf(tensors: Map<string, NamedTensor>, scope: string): Architecture {
  let depth = 0;
  while (tensors.has(`${scope}conv${depth + 1}/kernel`)) depth++;
  return { depth, width: tensors.get(`${scope}conv1/kernel`)!.shape[3] ?? 0 };
}

async function readInput(path: string, largestBytes: number): Promise<Uint8Array> {
  const expected = "the files of a TensorFlow 1 checkpoint, named without .index";
  const { buffer, byteOffset, byteLength } = await readInputFile(path, expected, largestBytes);
  return new Uint8Array(buffer, byteOffset, byteLength);
}

/** Tensors do not overlap, so that copying them takes no more than the shards. */
function checkSizes(entries: ReadonlyMap<string, BundleEntry>, dataBytes: number, where: string): void {
  let total = 0;
  for (const [name, { dtype, shape, size }] of entries) {
    if (dtype !== DT_FLOAT) continue;
    const needed = shape.reduce((product, side) => product * side, 1) * Float32Array.BYTES_PER_ELEMENT;
    if (size !== needed) {
      throw new InputError(`tensor ${name} has ${size} bytes where its shape [${shape}] needs ${needed}`, { where });
    }
    total += size;
  }
  if (total > dataBytes) {
    throw new InputError(`its data are cut short or tensors overlap: ${total} bytes of tensors in ${dataBytes}`, {
      where,
      expected: "the whole files of a TensorFlow 1 checkpoint",
    });
  }
}

function readIndex(
  bytes: Uint8Array,
  crc32c: (bytes: Uint8Array) => number,
  where: string,
): { shards: number; entries: Map<string, BundleEntry> } {
  const damaged = new InputError("damaged or not the index of a TensorFlow 1 checkpoint", { where });
  const footer = bytes.length - FOOTER_BYTES;
  const magic = footer < 0 ? 0n : new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(bytes.length - 8, true);
  if (magic !== TABLE_MAGIC) throw damaged;
  const entries = new Map<string, BundleEntry>();
  let shards = 0;
  try {
    const reader = new Reader(bytes.subarray(footer));
    reader.varint();
    reader.varint();
    let left = bytes.length;
    const readBlock = (handle: Reader) => {
      const [offset, size] = [handle.varint(), handle.varint()];
      // Blocks lie side by side: handles that name one again and again would make a small file endless.
      left -= size;
      if (left < 0) throw new Error("blocks overlap");
      return [...blockEntries(bytes, offset, size, crc32c)];
    };
    for (const [, handle] of readBlock(reader)) {
      for (const [key, value] of readBlock(new Reader(handle))) {
        if (key === "") shards = Number(messageFields(value).get(1)?.[0] ?? 1);
        else entries.set(key, bundleEntry(value));
      }
    }
  } catch {
    throw damaged;
  }
  return { shards, entries };
}

/** The keys and values of one table block: each key shares a prefix with the one before. */
function* blockEntries(
  file: Uint8Array,
  offset: number,
  size: number,
  crc32c: (bytes: Uint8Array) => number,
): Generator<[string, Uint8Array]> {
  const stored = new DataView(file.buffer, file.byteOffset).getUint32(offset + size + 1, true);
  if (maskedCrc(crc32c(file.subarray(offset, offset + size + 1))) !== stored) throw new Error("checksum");
  if (file[offset + size] !== 0) throw new Error("compressed");
  const block = file.subarray(offset, offset + size);
  const restarts = new DataView(block.buffer, block.byteOffset).getUint32(size - 4, true);
  const reader = new Reader(block.subarray(0, size - 4 * (restarts + 1)));
  let key: Uint8Array = new Uint8Array();
  while (!reader.done) {
    const shared = reader.varint();
    const own = reader.varint();
    const valueLength = reader.varint();
    if (shared > key.length || shared + own > LONGEST_KEY) throw new Error("key");
    const next = new Uint8Array(shared + own);
    next.set(key.subarray(0, shared));
    next.set(reader.bytes(own), shared);
    key = next;
    yield [new TextDecoder().decode(key), reader.bytes(valueLength)];
  }
}

/** BundleEntryProto: dtype 1, shape 2 (TensorShapeProto: dim 2 { size 1 }), shard 3, offset 4, size 5, crc32c 6. */
function bundleEntry(bytes: Uint8Array): BundleEntry {
  const fields = messageFields(bytes);
  const number = (field: number) => Number(fields.get(field)?.[0] ?? 0);
  const dimensions = messageFields((fields.get(2)?.[0] as Uint8Array | undefined) ?? new Uint8Array()).get(2) ?? [];
  const shape = dimensions.map((dimension) => Number(messageFields(dimension as Uint8Array).get(1)?.[0] ?? 0));
  return { dtype: number(1), shape, shard: number(3), offset: number(4), size: number(5), crc: number(6) };
}

/** A protobuf message's fields by number: varints and fixed32 as numbers, the rest as bytes. */
function messageFields(bytes: Uint8Array): Map<number, (number | Uint8Array)[]> {
  const fields = new Map<number, (number | Uint8Array)[]>();
  const reader = new Reader(bytes);
  while (!reader.done) {
    const tag = reader.varint();
    const value = reader.field(tag & 7);
    const values = fields.get(tag >>> 3);
    if (values === undefined) fields.set(tag >>> 3, [value]);
    else values.push(value);
  }
  return fields;
}

/** Walks over bytes; running over the end is an error. */
class Reader {
  readonly #bytes: Uint8Array;
  #position = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get done(): boolean {
    return this.#position >= this.#bytes.length;
  }

  bytes(length: number): Uint8Array {
    const start = this.#position;
    this.#position += length;
    if (this.#position > this.#bytes.length) throw new RangeError("cut short");
    return this.#bytes.subarray(start, this.#position);
  }

  /** Up to 2^53; multiplication, since shifts end at 32 bits. */
  varint(): number {
    for (let value = 0, factor = 1; ; factor *= 128) {
      const byte = this.bytes(1)[0]!;
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
    }
  }

  field(wireType: number): number | Uint8Array {
    if (wireType === 0) return this.varint();
    if (wireType === 1) return this.bytes(8);
    if (wireType === 2) return this.bytes(this.varint());
    if (wireType !== 5) throw new RangeError("unknown field");
    const bytes = this.bytes(4);
    return new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
  }
}

function fiveDigits(n: number): string {
  return String(n).padStart(5, "0");
}
