/**
 * Reads ZIP archives (APPNOTE 6.3): what `numpy.savez` and `savez_compressed` write. Entries are stored or deflated; the central
 * directory at the end says where they lie.
 */
import { crc32, inflateRawSync } from "node:zlib";
import { InputError } from "../errors.js";

const END_OF_DIRECTORY = 0x06054b50;
const END_BYTES = 22;
const LONGEST_COMMENT = 65_535;
const DIRECTORY_ENTRY = 0x02014b50;
const DIRECTORY_ENTRY_BYTES = 46;
const LOCAL_HEADER = 0x04034b50;
const LOCAL_HEADER_BYTES = 30;
const STORED = 0;
const DEFLATED = 8;

/**
 * The entries of an archive by name.
 * @param largestBytes of all entries together, unpacked
 * @throws InputError for what is no archive, is damaged, encrypted, packed in another way, or larger
 */
export function readZip(bytes: Uint8Array, where: string, largestBytes: number): Map<string, Uint8Array> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const entries = new Map<string, Uint8Array>();
  let left = largestBytes;
  for (const entry of directoryOf(bytes, view, where)) {
    left -= entry.size;
    if (left < 0) {
      throw new InputError("unpacks to too much", { where, expected: `at most ${largestBytes} bytes in all` });
    }
    entries.set(entry.name, contentOf(entry, bytes, view, where));
  }
  return entries;
}

interface Entry {
  readonly name: string;
  readonly method: number;
  readonly crc: number;
  readonly packed: number;
  readonly size: number;
  readonly start: number;
}

function directoryOf(bytes: Uint8Array, view: DataView, where: string): Entry[] {
  const end = endOfDirectory(view, where);
  const entries: Entry[] = [];
  let at = view.getUint32(end + 16, true);
  for (let count = view.getUint16(end + 10, true); count > 0; count--) {
    if (at + DIRECTORY_ENTRY_BYTES > end || view.getUint32(at, true) !== DIRECTORY_ENTRY) throw damaged(where);
    const [nameBytes, extraBytes, commentBytes] = [28, 30, 32].map((offset) => view.getUint16(at + offset, true)) as [
      number,
      number,
      number,
    ];
    const name = Buffer.from(bytes.subarray(at + DIRECTORY_ENTRY_BYTES, at + DIRECTORY_ENTRY_BYTES + nameBytes));
    if ((view.getUint16(at + 8, true) & 1) !== 0) throw new InputError("is encrypted", { where });
    entries.push({
      name: name.toString("utf8"),
      method: view.getUint16(at + 10, true),
      crc: view.getUint32(at + 16, true),
      packed: view.getUint32(at + 20, true),
      size: view.getUint32(at + 24, true),
      start: view.getUint32(at + 42, true),
    });
    at += DIRECTORY_ENTRY_BYTES + nameBytes + extraBytes + commentBytes;
  }
  return entries;
}

/** Searched from the end: a comment may follow it. */
function endOfDirectory(view: DataView, where: string): number {
  const last = view.byteLength - END_BYTES;
  for (let at = last; at >= Math.max(0, last - LONGEST_COMMENT); at--) {
    if (view.getUint32(at, true) === END_OF_DIRECTORY) return at;
  }
  throw new InputError("not a ZIP archive, or cut short", { where, expected: "what numpy.savez writes" });
}

function contentOf(
  { name, method, crc, packed, size, start }: Entry,
  bytes: Uint8Array,
  view: DataView,
  where: string,
) {
  if (start + LOCAL_HEADER_BYTES > bytes.length || view.getUint32(start, true) !== LOCAL_HEADER) throw damaged(where);
  const from = start + LOCAL_HEADER_BYTES + view.getUint16(start + 26, true) + view.getUint16(start + 28, true);
  const content = bytes.subarray(from, from + packed);
  const unpacked = unpack(content, method, size, `${where}: ${name}`);
  if (unpacked.length !== size || crc32(unpacked) >>> 0 !== crc) {
    throw new InputError(`${name} is damaged (another checksum)`, { where });
  }
  return unpacked;
}

function unpack(content: Uint8Array, method: number, size: number, where: string): Uint8Array {
  if (method === STORED) return content;
  if (method !== DEFLATED)
    throw new InputError(`packed by method ${method}`, { where, expected: "stored or deflated" });
  try {
    // One more than it says: what is longer is found out, and not unpacked.
    return inflateRawSync(content, { maxOutputLength: size + 1 });
  } catch {
    throw damaged(where);
  }
}

function damaged(where: string): InputError {
  return new InputError("damaged ZIP archive", { where });
}
