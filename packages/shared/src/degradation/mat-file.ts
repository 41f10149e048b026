/**
 * Reads the numeric matrices of a MATLAB 5 `.mat` file (what `save -v6` and `save -v7` write), after "MAT-File Format"
 * (The MathWorks): a 128-byte header, then data elements, each a tag (type, bytes) and its bytes, padded to 8. A
 * variable is an element of type miMATRIX, possibly inside a zlib stream (miCOMPRESSED).
 *
 * Left out because a kernel never needs them: cells, structures, objects, text, sparse and complex matrices (they are
 * passed over) and MATLAB 7.3, which is HDF5 (refused by name).
 */
import { inflateSync } from "node:zlib";
import { InputError, messageOf } from "../errors.js";
import type { Matrix } from "./npy-file.js";

/** A named matrix of real numbers. */
export interface MatVariable extends Matrix {
  readonly name: string;
}

const HEADER_BYTES = 128;
/** A kernel is a few kilobytes; this bounds what a hostile compressed variable can claim. */
const LARGEST_VARIABLE_BYTES = 64 * 1024 * 1024;

const MI_MATRIX = 14;
const MI_COMPRESSED = 15;
const COMPLEX_FLAG = 0x08;
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
  const variables: MatVariable[] = [];
  for (const element of readElements(bytes.subarray(HEADER_BYTES), littleEndian, where)) {
    for (const matrix of element.type === MI_COMPRESSED ? inflated(element, littleEndian, where) : [element]) {
      const variable = matrix.type === MI_MATRIX ? numericMatrix(matrix.bytes, littleEndian, where) : undefined;
      if (variable !== undefined) variables.push(variable);
    }
  }
  return variables;
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

function inflated(element: Element, littleEndian: boolean, where: string): Element[] {
  try {
    const bytes = inflateSync(element.bytes, { maxOutputLength: LARGEST_VARIABLE_BYTES });
    return readElements(bytes, littleEndian, where);
  } catch (error) {
    if (error instanceof InputError) throw error;
    throw damaged(`compressed variable: ${messageOf(error)}`, where);
  }
}

function readElements(bytes: Uint8Array, littleEndian: boolean, where: string): Element[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const elements: Element[] = [];
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
    elements.push({ type, bytes: bytes.subarray(start, start + size) });
    // Compressed elements are not padded.
    at = small ? at + 8 : start + (type === MI_COMPRESSED ? size : Math.ceil(size / 8) * 8);
  }
  return elements;
}

/** A variable's parts are elements in turn: flags, dimensions, name, real part. */
function numericMatrix(bytes: Uint8Array, littleEndian: boolean, where: string): MatVariable | undefined {
  const [flags, dimensions, name, real] = readElements(bytes, littleEndian, where);
  if (flags === undefined || dimensions === undefined || name === undefined)
    throw damaged("variable lacks parts", where);
  const flagWord = numbers(flags, littleEndian, where)[0] ?? 0;
  const arrayClass = flagWord & 0xff;
  const complex = ((flagWord >>> 8) & COMPLEX_FLAG) !== 0;
  if (arrayClass < FIRST_NUMERIC_CLASS || arrayClass > LAST_NUMERIC_CLASS || complex) return undefined;
  const [rows, columns, ...more] = numbers(dimensions, littleEndian, where);
  if (rows === undefined || columns === undefined) throw damaged("variable lacks its dimensions", where);
  if (more.length > 0) return undefined;
  const label = Buffer.from(name.bytes).toString("latin1");
  const values = real === undefined ? new Float64Array(0) : numbers(real, littleEndian, where);
  if (values.length !== rows * columns) {
    throw damaged(`variable '${label}' of ${rows}×${columns} has ${values.length} values`, where);
  }
  // MATLAB stores column by column.
  const data = values.map((_, i) => values[(i % columns) * rows + Math.floor(i / columns)]!);
  return { name: label, rows, columns, data };
}

function numbers(element: Element, littleEndian: boolean, where: string): Float64Array {
  const type = NUMBER_TYPES[element.type];
  if (type === undefined || element.bytes.length % type.bytes !== 0) {
    throw damaged(`element of type ${element.type} where numbers should be`, where);
  }
  const view = new DataView(element.bytes.buffer, element.bytes.byteOffset);
  const count = element.bytes.length / type.bytes;
  return Float64Array.from({ length: count }, (_, i) => type.read(view, i * type.bytes, littleEndian));
}

function damaged(what: string, where: string): InputError {
  return new InputError(`damaged MATLAB file: ${what}`, { where });
}
