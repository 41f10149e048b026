/**
 * The safetensors format (https://huggingface.co/docs/safetensors): eight bytes with the header's length, a JSON
 * header that names every tensor's type, shape and place, then the little-endian data. Float32, float64 and bytes are
 * what models and checkpoints need.
 */
import { InputError } from "../errors.js";

export type TensorData = Float32Array | Float64Array | Uint8Array;

export interface NamedTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly data: TensorData;
}

export interface TensorFile {
  readonly tensors: ReadonlyMap<string, NamedTensor>;
  readonly metadata: Readonly<Record<string, string>>;
}

const TYPES = { F64: Float64Array, F32: Float32Array, U8: Uint8Array } as const;
type TypeName = keyof typeof TYPES;

const LENGTH_BYTES = 8;

/** Data starts at a multiple of this, and wider types come first, so that every tensor is aligned. */
const ALIGNMENT = 8;

/** A checkpoint's header, with its whole configuration, takes some kilobytes; parsed JSON takes many times its text. */
const MAX_HEADER_BYTES = 4 * 1024 * 1024;

/** The bytes of a safetensors file. Tensors are stored widest type first, else in the order given. */
export function encodeSafetensors(
  tensors: readonly NamedTensor[],
  metadata: Readonly<Record<string, string>>,
): Uint8Array<ArrayBuffer> {
  const ordered = [...tensors].sort((a, b) => b.data.BYTES_PER_ELEMENT - a.data.BYTES_PER_ELEMENT);
  const header: Record<string, unknown> = { __metadata__: metadata };
  let size = 0;
  for (const { name, shape, data } of ordered) {
    header[name] = { dtype: typeNameOf(data), shape, data_offsets: [size, size + data.byteLength] };
    size += data.byteLength;
  }
  const text = new TextEncoder().encode(JSON.stringify(header));
  const headerLength = Math.ceil(text.length / ALIGNMENT) * ALIGNMENT;
  const bytes = new Uint8Array(LENGTH_BYTES + headerLength + size).fill(
    0x20,
    LENGTH_BYTES,
    LENGTH_BYTES + headerLength,
  );
  new DataView(bytes.buffer).setBigUint64(0, BigInt(headerLength), true);
  bytes.set(text, LENGTH_BYTES);
  let offset = LENGTH_BYTES + headerLength;
  for (const { data } of ordered) {
    bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), offset);
    offset += data.byteLength;
  }
  return bytes;
}

/**
 * Reads the bytes of a safetensors file; the data is copied out. As the format demands, tensors lie side by side, without
 * overlap or gap: so the copies take no more memory than the file.
 *
 * @param where the file's name, for errors
 * @param expected what the file should have been, for errors
 * @throws InputError when the bytes are cut short, not safetensors, or of a type that is not read here
 */
export function decodeSafetensors(bytes: Uint8Array, where: string, expected = "a safetensors file"): TensorFile {
  const headerLength = readHeaderLength(bytes, where, expected);
  const header = parseHeader(bytes.subarray(LENGTH_BYTES, LENGTH_BYTES + headerLength), where, expected);
  const data = bytes.subarray(LENGTH_BYTES + headerLength);
  const places = Object.entries(header)
    .filter(([name]) => name !== "__metadata__")
    .map(([name, entry]) => readPlace(name, entry, where));
  checkLayout(places, data.length, where);
  const tensors = new Map(places.map((place) => [place.name, copied(place, data)]));
  return { tensors, metadata: readMetadata(header.__metadata__, where) };
}

/** Where the header says that a tensor lies. */
interface TensorPlace {
  readonly name: string;
  readonly type: TypeName;
  readonly shape: readonly number[];
  /** Bytes from the start of the data. */
  readonly start: number;
  readonly end: number;
}

function readHeaderLength(bytes: Uint8Array, where: string, expected: string): number {
  if (bytes.length < LENGTH_BYTES) {
    throw new InputError(`only ${bytes.length} bytes, the file is cut short`, { where, expected });
  }
  const length = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));
  if (length > MAX_HEADER_BYTES) {
    const what = `not a safetensors file (its header would have ${length} bytes, more than ${MAX_HEADER_BYTES})`;
    throw new InputError(what, { where, expected });
  }
  if (LENGTH_BYTES + length > bytes.length) {
    throw new InputError(`${bytes.length} bytes, the file is cut short within its header`, { where, expected });
  }
  return length;
}

function parseHeader(bytes: Uint8Array, where: string, expected: string): Record<string, unknown> {
  let header: unknown;
  try {
    header = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    throw new InputError("the header is not JSON", { where, expected });
  }
  if (!isRecord(header)) throw new InputError("the header is not an object", { where, expected });
  return header;
}

function readPlace(name: string, entry: unknown, where: string): TensorPlace {
  if (!isRecord(entry) || !isCounts(entry.shape) || !isCounts(entry.data_offsets) || entry.data_offsets.length !== 2) {
    throw new InputError(`tensor ${name} is not described by dtype, shape and data_offsets`, { where });
  }
  const { dtype, shape } = entry;
  if (typeof dtype !== "string" || !isTypeName(dtype)) {
    throw new InputError(`tensor ${name} has type ${dtype}`, { where, expected: Object.keys(TYPES).join(", ") });
  }
  const [start, end] = entry.data_offsets as [number, number];
  const elements = shape.reduce((product, side) => product * side, 1);
  const needed = elements * TYPES[dtype].BYTES_PER_ELEMENT;
  if (end - start !== needed) {
    throw new InputError(`tensor ${name} has ${end - start} bytes where its shape [${shape}] needs ${needed}`, {
      where,
    });
  }
  return { name, type: dtype, shape, start, end };
}

/** Tensors must cover the data, each byte once. */
function checkLayout(places: readonly TensorPlace[], dataBytes: number, where: string): void {
  let covered = 0;
  for (const { name, start, end } of [...places].sort((a, b) => a.start - b.start || a.end - b.end)) {
    if (start !== covered) {
      const what = start < covered ? "overlaps the tensor before it" : "leaves a gap before it";
      throw new InputError(`tensor ${name} starts at byte ${start} and ${what}`, {
        where,
        expected: `byte ${covered}`,
      });
    }
    if (end > dataBytes) {
      throw new InputError(`the file is cut short: tensor ${name} ends at byte ${end} of ${dataBytes}`, { where });
    }
    covered = end;
  }
  if (dataBytes !== covered) {
    throw new InputError(`${dataBytes} bytes of data where the header says ${covered}`, { where });
  }
}

/** A copy of its own: the bytes may be a Buffer, whose slice() shares, and lie where no number of this type may begin. */
function copied({ name, type, shape, start, end }: TensorPlace, data: Uint8Array): NamedTensor {
  const copy = Uint8Array.from(data.subarray(start, end));
  return { name, shape, data: new TYPES[type](copy.buffer) };
}

function readMetadata(metadata: unknown, where: string): Record<string, string> {
  if (metadata === undefined) return {};
  if (!isRecord(metadata) || !Object.values(metadata).every((value) => typeof value === "string")) {
    throw new InputError("the header's __metadata__ is not an object of strings", { where });
  }
  return metadata as Record<string, string>;
}

function typeNameOf(data: TensorData): TypeName {
  return data instanceof Float64Array ? "F64" : data instanceof Float32Array ? "F32" : "U8";
}

function isTypeName(name: string): name is TypeName {
  return Object.hasOwn(TYPES, name);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isCounts(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((n) => Number.isSafeInteger(n) && n >= 0);
}
