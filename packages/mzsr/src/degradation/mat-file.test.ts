import { deflateSync } from "node:zlib";
import { readFixture } from "@mzsr/testing/fixtures";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { InputError } from "../errors.js";
import { parseMat } from "./mat-file.js";

const ROWS = [0, 1, 2, 3, 40, 5, 6, 7, 8.5];

/** scipy.io.savemat of [[0, 1, 2], [3, 40, 5], [6, 7, 8.5]]; "several" has sigma = 2, a text and a complex number too. */
const writtenByScipy = (how: string) => readFixture(`kernels/scipy-${how}.mat`);

type Endian = "little" | "big";

/** One data element in the normal format, padded to 8 bytes. */
function element(type: number, body: Buffer, endian: Endian): Buffer {
  const tag = Buffer.alloc(8);
  tag.writeUInt32LE(type);
  tag.writeUInt32LE(body.length, 4);
  if (endian === "big") tag.swap32();
  return Buffer.concat([tag, body, Buffer.alloc((8 - (body.length % 8)) % 8)]);
}

function words(values: number[], endian: Endian): Buffer {
  const body = Buffer.from(Uint32Array.from(values).buffer);
  return endian === "big" ? body.swap32() : body;
}

/** A file with one variable of class double, its 2×3 values 1 … 6 (column by column) stored as `stored`. */
function matFile(stored: { type: number; body: Buffer }, endian: Endian, compressed = false): Buffer {
  const header = Buffer.alloc(128, " ");
  header.write("MATLAB 5.0 MAT-file");
  header.write(endian === "little" ? "\x00\x01IM" : "\x01\x00MI", 124, "latin1");
  const parts = [
    element(6, words([6, 0], endian), endian),
    element(5, words([2, 3], endian), endian),
    element(1, Buffer.from("a rather long name"), endian),
    element(stored.type, stored.body, endian),
  ];
  const matrix = element(14, Buffer.concat(parts), endian);
  if (!compressed) return Buffer.concat([header, matrix]);
  const packed = deflateSync(matrix);
  const tag = words([15, packed.length], endian);
  return Buffer.concat([header, tag, packed]);
}

/** Storage type, bytes a value, and how to write one. */
const STORAGE: [string, number, number, (view: DataView, at: number, value: number, little: boolean) => void][] = [
  ["int8", 1, 1, (view, at, value) => view.setInt8(at, value)],
  ["uint8", 2, 1, (view, at, value) => view.setUint8(at, value)],
  ["int16", 3, 2, (view, at, value, little) => view.setInt16(at, value, little)],
  ["uint16", 4, 2, (view, at, value, little) => view.setUint16(at, value, little)],
  ["int32", 5, 4, (view, at, value, little) => view.setInt32(at, value, little)],
  ["uint32", 6, 4, (view, at, value, little) => view.setUint32(at, value, little)],
  ["single", 7, 4, (view, at, value, little) => view.setFloat32(at, value, little)],
  ["double", 9, 8, (view, at, value, little) => view.setFloat64(at, value, little)],
  ["int64", 12, 8, (view, at, value, little) => view.setBigInt64(at, BigInt(value), little)],
  ["uint64", 13, 8, (view, at, value, little) => view.setBigUint64(at, BigInt(value), little)],
];

function oneToSix(storage: (typeof STORAGE)[number], endian: Endian) {
  const [, type, size, write] = storage;
  const body = Buffer.alloc(6 * size);
  const view = new DataView(body.buffer, body.byteOffset);
  for (let i = 0; i < 6; i++) write(view, i * size, i + 1, endian === "little");
  return { type, body };
}

test.each(["plain", "compressed"])("reads what SciPy wrote %s, row by row", (how) => {
  const [variable, ...others] = parseMat(writtenByScipy(how), "k.mat");
  expect([others, variable?.name, variable?.rows, variable?.columns]).toEqual([[], "kernel", 3, 3]);
  expect([...variable!.data]).toEqual(ROWS);
});

test("passes over text and complex variables", () => {
  const names = parseMat(writtenByScipy("several"), "k.mat").map((variable) => variable.name);
  expect(names).toEqual(["kernel", "sigma"]);
});

describe.each(STORAGE)("values stored as %s", (...storage) => {
  test.each([
    ["little", false],
    ["little", true],
    ["big", false],
    ["big", true],
  ] as const)("are read from a %s-endian file (compressed: %s)", (endian, compressed) => {
    const [variable] = parseMat(matFile(oneToSix(storage, endian), endian, compressed), "k.mat");
    expect(variable).toMatchObject({ name: "a rather long name", rows: 2, columns: 3 });
    expect([...variable!.data]).toEqual([1, 3, 5, 2, 4, 6]);
  });
});

/** A variable or cell that holds a 3×3 matrix of doubles, all `value`. */
function matrix(name: string, value: number): Buffer {
  return element(
    14,
    Buffer.concat([
      element(6, words([6, 0], "little"), "little"),
      element(5, words([3, 3], "little"), "little"),
      element(1, Buffer.from(name), "little"),
      element(9, Buffer.from(new Float64Array(9).fill(value).buffer), "little"),
    ]),
    "little",
  );
}

function cellArray(name: string, cells: readonly Buffer[]): Buffer {
  return element(
    14,
    Buffer.concat([
      element(6, words([1, 0], "little"), "little"),
      element(5, words([1, cells.length], "little"), "little"),
      element(1, Buffer.from(name), "little"),
      ...cells,
    ]),
    "little",
  );
}

function fileOf(...variables: readonly Buffer[]): Buffer {
  const header = Buffer.alloc(128, " ");
  header.write("MATLAB 5.0 MAT-file");
  header.write("\x00\x01IM", 124, "latin1");
  return Buffer.concat([header, ...variables]);
}

/** A compressed variable of `count` zero bytes. */
function bomb(count: number): Buffer {
  const packed = deflateSync(
    Buffer.concat([
      words([14, count + 56], "little"),
      element(6, words([6, 0], "little"), "little"),
      element(5, words([1, count / 8], "little"), "little"),
      element(1, Buffer.from("a"), "little"),
      words([9, count], "little"),
      Buffer.alloc(count),
    ]),
  );
  return Buffer.concat([words([15, packed.length], "little"), packed]);
}

test("finds the matrices of cells, also of cells in cells, by MATLAB's names", () => {
  const cells = cellArray("kernels", [matrix("", 1), matrix("", 2), cellArray("", [matrix("", 3)])]);
  const found = parseMat(fileOf(matrix("sigma", 9), cells), "k.mat");
  expect(found.map(({ name, data }) => [name, data[0]])).toEqual([
    ["sigma", 9],
    ["kernels{1}", 1],
    ["kernels{2}", 2],
    ["kernels{3}{1}", 3],
  ]);
});

describe("what would take much memory is refused before it takes it", () => {
  const MEBIBYTE = 2 ** 20;

  test("a compressed variable, and several together", () => {
    const message = /k\.mat: its variables unpack to more than 64 MiB; expected a file with a kernel/;
    expect(() => parseMat(fileOf(bomb(65 * MEBIBYTE)), "k.mat")).toThrow(message);
    expect(() => parseMat(fileOf(bomb(24 * MEBIBYTE), bomb(24 * MEBIBYTE), bomb(24 * MEBIBYTE)), "k.mat")).toThrow(
      message,
    );
    expect(() => parseMat(fileOf(bomb(65 * MEBIBYTE)), "k.mat")).toThrow(InputError);
  });

  test("a large matrix is not converted until it is asked for", () => {
    const before = process.memoryUsage().arrayBuffers;
    const [photo, kernel] = parseMat(fileOf(bomb(32 * MEBIBYTE), matrix("kernel", 1)), "k.mat");
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(100 * MEBIBYTE);
    expect([photo?.columns, kernel?.columns]).toEqual([4 * MEBIBYTE, 3]);
  });

  test("empty elements and cells without number", () => {
    const many = Buffer.alloc(8 * 20_000);
    expect(() => parseMat(fileOf(many), "k.mat")).toThrow(/holds more than 10000 variables and cells/);
    const cells = Array.from({ length: 10_001 }, () => element(14, Buffer.alloc(0), "little"));
    expect(() => parseMat(fileOf(cellArray("c", cells)), "k.mat")).toThrow(/holds more than 10000 variables and cells/);
  });
});

describe("damaged or foreign files", () => {
  const whole = writtenByScipy("plain");
  const double = STORAGE[7]!;

  test("a MATLAB 7.3 file is refused by name", () => {
    const hdf5 = Buffer.alloc(600);
    hdf5.write("MATLAB 7.3 MAT-file, Platform: GLNXA64");
    expect(() => parseMat(hdf5, "k.mat")).toThrow(/k\.mat: is a MATLAB 7\.3 \(HDF5\) file; expected .*-v6 or -v7/);
  });

  test("another kind of file is refused", () => {
    expect(() => parseMat(Buffer.from("\x89PNG and so on", "latin1"), "k.mat")).toThrow(/not a MATLAB 5 file/);
  });

  test("a file cut short anywhere is refused", () => {
    for (let length = 129; length < whole.length; length++) {
      expect(() => parseMat(whole.subarray(0, length), "k.mat")).toThrow(InputError);
    }
  });

  test("a broken zlib stream is refused", () => {
    const bytes = matFile(oneToSix(double, "little"), "little", true);
    bytes.fill(0xff, 140, 150);
    expect(() => parseMat(bytes, "k.mat")).toThrow(/damaged MATLAB file: compressed variable/);
  });

  test("too few values for the dimensions are refused", () => {
    const { type, body } = oneToSix(double, "little");
    const bytes = matFile({ type, body: body.subarray(0, 40) }, "little");
    expect(() => parseMat(bytes, "k.mat")).toThrow(/variable 'a rather long name' of 2×3 has 5 values/);
  });

  test("whatever bytes are changed, the answer is variables or an InputError", () => {
    const change = fc.tuple(fc.integer({ min: 0, max: whole.length - 1 }), fc.integer({ min: 0, max: 255 }));
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 4 }), (changes) => {
        const bytes = Buffer.from(whole);
        for (const [at, value] of changes) bytes[at] = value;
        try {
          parseMat(bytes, "k.mat");
        } catch (error) {
          expect(error).toBeInstanceOf(InputError);
        }
      }),
      { numRuns: 500 },
    );
  });
});
