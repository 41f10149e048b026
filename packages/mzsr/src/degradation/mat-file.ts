/**
 * Reads the numeric matrices of a MATLAB 5 `.mat` file (what `save -v6` and `save -v7` write), after "MAT-File Format"
 * (The MathWorks): a 128-byte header, then data elements, each a tag (type, bytes) and its bytes, padded to 8. A
 * variable is an element of type miMATRIX, possibly inside a zlib stream (miCOMPRESSED).
 *
 * Matrices in cell arrays are found too, as `kernels{3}` in MATLAB's own order; files of many kernels are made so. Left out
 * because a kernel never needs them: structures, objects, text, sparse and complex matrices (they are passed over) and
 * MATLAB 7.3, which is HDF5 (refused by name).
 */
import { inflateSync } from "node:zlib";
import { InputError, messageOf } from "../errors.js";
import { type Matrix, rowByRow } from "./npy-file.js";

/** A named matrix of real numbers; they are converted when `data` is asked for, each time anew. */
export interface MatVariable extends Matrix {
  readonly name: string;
}

const HEADER_BYTES = 128;
/**
 * Of all compressed variables of a file together, unpacked; zlib packs a thousand times. A kernel is 30 KB: this leaves
 * room for the photographs that a research file holds beside it.
 */
const LARGEST_UNPACKED_BYTES = 64 * 1024 * 1024;
/** Variables and cells that a file may have: thousands of kernels, but not eight million empty elements. */
const MOST_VARIABLES = 10_000;
/** Dimensions, flags and names are shorter. */
const LARGEST_PART_BYTES = 1024;
/** Of cells in cells. */
const DEEPEST_CELL = 4;

const MI_MATRIX = 14;
const MI_COMPRESSED = 15;
const COMPLEX_FLAG = 0x08;
const CELL_CLASS = 1;
/** Array classes mxDOUBLE_CLASS … mxUINT64_CLASS hold full numeric matrices. */
const FIRST_NUMERIC_CLASS = 6;
const LAST_NUMERIC_CLASS = 15;

type ReadNumber = (view: DataView, offset: number, littleEndian: boolean) => number;

/** Storage types of numbers: a matrix of doubles may be stored in the smallest type that holds its values. */
const NUMBER_TYPES: Readonly<Record<number, { readonly bytes: number; readonly read: ReadNumber }>> = {
  1: { bytes: 1, read: (view, at) => view.getInt8(at) },
  2: { bytes: 1, read: (view, at) => view.getUint8(at) },
  3: { bytes: 2, read: (view, at, little) => view.getInt16(at, little) },
  4: { bytes: 2, read: (view, at, little) => view.getUint16(at, little) },
  5: { bytes: 4, read: (view, at, little) => view.getInt32(at, little) },
  6: { bytes: 4, read: (view, at, little) => view.getUint32(at, little) },
  7: { bytes: 4, read: (view, at, little) => view.getFloat32(at, little) },
  9: { bytes: 8, read: (view, at, little) => view.getFloat64(at, little) },
  12: { bytes: 8, read: (view, at, little) => Number(view.getBigInt64(at, little)) },
  13: { bytes: 8, read: (view, at, little) => Number(view.getBigUint64(at, little)) },
};

/** A data element: its type and its bytes, without tag and padding. */
interface Element {
  readonly type: number;
  readonly bytes: Uint8Array;
}

/**
 * The two-dimensional real numeric variables of a MATLAB 5 file, in the file's order.
 * @param where the file's name, for errors
 * @throws InputError when it is another kind of file or damaged
 */
export function parseMat(bytes: Uint8Array, where: string): MatVariable[] {
  const littleEndian = checkHeader(bytes, where);
  const reader: VariableReader = { littleEndian, where, found: [], left: MOST_VARIABLES };
  let unpacked = 0;
  for (const element of readElements(bytes.subarray(HEADER_BYTES), littleEndian, where)) {
    if (element.type === MI_COMPRESSED) {
      const content = inflated(element, LARGEST_UNPACKED_BYTES - unpacked, where);
      unpacked += content.length;
      for (const inner of readElements(content, littleEndian, where)) readVariable(reader, inner, undefined, 0);
    } else readVariable(reader, element, undefined, 0);
  }
  return reader.found;
}

/** What reading a file's variables has come to. */
interface VariableReader {
  readonly littleEndian: boolean;
  readonly where: string;
  readonly found: MatVariable[];
  /** Variables and cells that may still come. */
  left: number;
}

/** Adds the matrices of a variable, its own or those of its cells. @param name of a cell, which has none itself */
function readVariable(reader: VariableReader, element: Element, name: string | undefined, depth: number): void {
  const { littleEndian, where } = reader;
  if (reader.left-- === 0) {
    throw new InputError(`holds more than ${MOST_VARIABLES} variables and cells`, {
      where,
      expected: "a kernel's file",
    });
  }
  if (element.type !== MI_MATRIX || element.bytes.length === 0) return;
  const parts = readElements(element.bytes, littleEndian, where);
  const [flags, dimensions, label] = [parts.next().value, parts.next().value, parts.next().value];
  if (!flags || !dimensions || !label) throw damaged("variable lacks parts", where);
  const flagWord = shortNumbers(flags, littleEndian, where)[0] ?? 0;
  const arrayClass = flagWord & 0xff;
  const variable = name ?? Buffer.from(label.bytes.subarray(0, LARGEST_PART_BYTES)).toString("latin1");
  if (arrayClass === CELL_CLASS && depth < DEEPEST_CELL) {
    let index = 1;
    for (const cell of parts) readVariable(reader, cell, `${variable}{${index++}}`, depth + 1);
    return;
  }
  const complex = ((flagWord >>> 8) & COMPLEX_FLAG) !== 0;
  if (arrayClass < FIRST_NUMERIC_CLASS || arrayClass > LAST_NUMERIC_CLASS || complex) return;
  const [rows, columns, ...more] = shortNumbers(dimensions, littleEndian, where);
  if (rows === undefined || columns === undefined) throw damaged("variable lacks its dimensions", where);
  if (more.length > 0) return;
  reader.found.push(matrix(parts.next().value || undefined, variable, rows, columns, reader));
}

function matrix(
  real: Element | undefined,
  name: string,
  rows: number,
  columns: number,
  { littleEndian, where }: VariableReader,
): MatVariable {
  const count = real === undefined ? 0 : countNumbers(real, where);
  if (count !== rows * columns) throw damaged(`variable '${name}' of ${rows}×${columns} has ${count} values`, where);
  return {
    name,
    rows,
    columns,
    get data() {
      return rowByRow(real === undefined ? new Float64Array() : numbers(real, littleEndian, where), rows, columns);
    },
  };
}

/** @returns whether numbers are little-endian */
function checkHeader(bytes: Uint8Array, where: string): boolean {
  const expected = "a MATLAB 5 .mat file (save -v6 or -v7)";
  const text = Buffer.from(bytes.subarray(0, HEADER_BYTES)).toString("latin1");
  if (text.startsWith("MATLAB 7.3") || text.startsWith("\x89HDF")) {
    throw new InputError("is a MATLAB 7.3 (HDF5) file", { where, expected });
  }
  const endian = text.slice(126, 128);
  if (!text.startsWith("MATLAB") || (endian !== "IM" && endian !== "MI")) {
    throw new InputError("not a MATLAB 5 file", { where, expected });
  }
  return endian === "IM";
}

/** @param most bytes that may come out */
function inflated(element: Element, most: number, where: string): Uint8Array {
  try {
    return inflateSync(element.bytes, { maxOutputLength: Math.max(1, most) });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ERR_BUFFER_TOO_LARGE") {
      throw new InputError(`its variables unpack to more than ${LARGEST_UNPACKED_BYTES / 2 ** 20} MiB`, {
        where,
        expected: "a file with a kernel and little else",
      });
    }
    throw damaged(`compressed variable: ${messageOf(error)}`, where);
  }
}

/** One by one: a file may hold millions that say nothing. */
function* readElements(bytes: Uint8Array, littleEndian: boolean, where: string): Generator<Element, undefined> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  while (at < bytes.length) {
    if (at + 8 > bytes.length) throw damaged("cut short in the tag of an element", where);
    const word = view.getUint32(at, littleEndian);
    // The small format packs up to four bytes of data into the tag: its size stands in the upper half of the word.
    const small = word >>> 16 !== 0;
    const type = small ? word & 0xffff : word;
    const size = small ? word >>> 16 : view.getUint32(at + 4, littleEndian);
    const start = at + (small ? 4 : 8);
    if (start + size > bytes.length || (small && size > 4)) throw damaged("cut short in an element", where);
    yield { type, bytes: bytes.subarray(start, start + size) };
    // Compressed elements are not padded.
    at = small ? at + 8 : start + (type === MI_COMPRESSED ? size : Math.ceil(size / 8) * 8);
  }
}

function shortNumbers(element: Element, littleEndian: boolean, where: string): number[] {
  if (element.bytes.length > LARGEST_PART_BYTES) throw damaged("flags or dimensions are too long", where);
  return [...numbers(element, littleEndian, where)];
}

function numbers(element: Element, littleEndian: boolean, where: string): Float64Array {
  const count = countNumbers(element, where);
  const { bytes, read } = NUMBER_TYPES[element.type]!;
  const view = new DataView(element.bytes.buffer, element.bytes.byteOffset);
  return Float64Array.from({ length: count }, (_, i) => read(view, i * bytes, littleEndian));
}

function countNumbers(element: Element, where: string): number {
  const type = NUMBER_TYPES[element.type];
  if (type === undefined || element.bytes.length % type.bytes !== 0) {
    throw damaged(`element of type ${element.type} where numbers should be`, where);
  }
  return element.bytes.length / type.bytes;
}

function damaged(what: string, where: string): InputError {
  return new InputError(`damaged MATLAB file: ${what}`, { where });
}
