import { InputError } from "../errors.js";

/** A matrix as a file held it, converted to doubles, row by row. */
export interface Matrix {
  readonly rows: number;
  readonly columns: number;
  readonly data: Float64Array;
}

/** An array as a file held it, converted to doubles, the last index changing fastest. */
export interface NumpyArray {
  readonly shape: readonly number[];
  readonly data: Float64Array;
}

const MAGIC = "\x93NUMPY";
const EXPECTED = "a two-dimensional little-endian float32 or float64 array";
const EXPECTED_ARRAY = "little-endian float32 or float64 arrays";
/** What NumPy's own reader allows: a header says no more than type, order and shape. */
const LARGEST_HEADER_BYTES = 10_000;

/**
 * Reads a NumPy `.npy` file (format versions 1 to 3) that holds a matrix of '<f4' or '<f8', in C or Fortran order.
 * @param where the file's name, for errors
 * @throws InputError for another element type or dimension, and for a damaged file
 */
export function parseNpy(bytes: Uint8Array, where: string): Matrix {
  const { shape, type, fortran, content, shapeText } = readHeader(bytes, where, EXPECTED);
  if (shape?.length !== 2) {
    throw new InputError(`array has shape (${shapeText.trim()})`, { where, expected: EXPECTED });
  }
  const [rows, columns] = shape as [number, number];
  const data = elements(content, rows * columns, type, where);
  return { rows, columns, data: fortran ? rowByRow(data, rows, columns) : data };
}

/**
 * Reads a NumPy `.npy` file that holds an array of any dimension, in C order.
 * @throws InputError as `parseNpy`
 */
export function parseNpyArray(bytes: Uint8Array, where: string): NumpyArray {
  const { shape, type, fortran, content, shapeText } = readHeader(bytes, where, EXPECTED_ARRAY);
  if (shape === undefined) {
    throw new InputError(`array has shape (${shapeText.trim()})`, { where, expected: EXPECTED_ARRAY });
  }
  if (fortran && shape.length > 1) {
    const expected = "C order, as numpy.ascontiguousarray makes it";
    throw new InputError("array is in Fortran order", { where, expected });
  }
  const count = shape.reduce((product, side) => product * side, 1);
  return { shape, data: elements(content, count, type, where) };
}

interface Header {
  readonly type: "<f4" | "<f8";
  readonly fortran: boolean;
  /** Undefined where it is no list of sizes. */
  readonly shape: readonly number[] | undefined;
  readonly shapeText: string;
  readonly content: Uint8Array;
}

function readHeader(bytes: Uint8Array, where: string, expected: string): Header {
  const { header, dataStart } = splitHeader(bytes, where);
  const type = field(header, "descr", /'([^']*)'/, where);
  if (type.endsWith("O")) {
    throw new InputError("holds Python objects (a pickle), which are not read", { where, expected });
  }
  if (type !== "<f4" && type !== "<f8") {
    throw new InputError(`elements are of type '${type}'`, { where, expected: `${expected} ('<f4' or '<f8')` });
  }
  const fortran = field(header, "fortran_order", /(True|False)/, where) === "True";
  const shapeText = field(header, "shape", /\(([^)]*)\)/, where);
  const parts = shapeText
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== "");
  const shape = parts.every((part) => /^\d{1,9}$/.test(part)) ? parts.map(Number) : undefined;
  return { type, fortran, shape, shapeText, content: bytes.subarray(dataStart) };
}

function splitHeader(bytes: Uint8Array, where: string): { header: string; dataStart: number } {
  const latin1 = (from: number, to: number) => Buffer.from(bytes.subarray(from, to)).toString("latin1");
  if (latin1(0, 6) !== MAGIC) throw new InputError("not a NumPy file", { where, expected: EXPECTED });
  const version = bytes[6];
  if (version === undefined || version < 1 || version > 3) {
    throw new InputError(`NumPy format version ${version ?? "missing"}`, { where, expected: "version 1, 2 or 3" });
  }
  const headerStart = version === 1 ? 10 : 12;
  if (bytes.length < headerStart) throw cutShort(where, headerStart, bytes.length);
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const headerBytes = version === 1 ? view.getUint16(8, true) : view.getUint32(8, true);
  if (headerBytes > LARGEST_HEADER_BYTES) {
    throw new InputError(`NumPy header of ${headerBytes} bytes`, {
      where,
      expected: `${EXPECTED}, whose header has at most ${LARGEST_HEADER_BYTES}`,
    });
  }
  const dataStart = headerStart + headerBytes;
  if (bytes.length < dataStart) throw cutShort(where, dataStart, bytes.length);
  return { header: latin1(headerStart, dataStart), dataStart };
}

/** A matrix stored column by column (MATLAB, Fortran) in the order of its rows. */
export function rowByRow(values: Float64Array, rows: number, columns: number): Float64Array {
  return values.map((_, i) => values[(i % columns) * rows + Math.floor(i / columns)]!);
}

/** The value of one key of the header, which is a Python dictionary literal. */
function field(header: string, key: string, value: RegExp, where: string): string {
  const match = new RegExp(`['"]${key}['"]\\s*:\\s*${value.source}`).exec(header);
  if (match?.[1] === undefined) throw new InputError(`header lacks a plain '${key}'`, { where, expected: EXPECTED });
  return match[1];
}

function elements(bytes: Uint8Array, count: number, type: "<f4" | "<f8", where: string): Float64Array {
  const size = type === "<f4" ? 4 : 8;
  if (bytes.length !== count * size) throw cutShort(where, count * size, bytes.length);
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  return Float64Array.from({ length: count }, (_, i) =>
    size === 4 ? view.getFloat32(i * size, true) : view.getFloat64(i * size, true),
  );
}

function cutShort(where: string, expected: number, found: number): InputError {
  return new InputError(`damaged NumPy file: ${found} bytes where ${expected} should be`, { where });
}
