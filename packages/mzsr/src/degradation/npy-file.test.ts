import { readFixture } from "@mzsr/testing/fixtures";
import { expect, test } from "vitest";
import { InputError } from "../errors.js";
import { parseNpy } from "./npy-file.js";

const VALUES = [0, 1, 2, 3, 40, 5, 6, 7, 8.5];
/** numpy.save of the 3×3 matrix of VALUES. */
const writtenByNumpy = (type: string) => readFixture(`kernels/numpy-${type}.npy`);

/** A .npy file with the given header fields and body. */
function npy(descr: string, order: string, shape: string, body = Buffer.alloc(72), version = 1): Buffer {
  const header = `{'descr': ${descr}, 'fortran_order': ${order}, 'shape': (${shape}), }\n`;
  const lengthBytes = version === 1 ? 2 : 4;
  const prefix = Buffer.alloc(8 + lengthBytes);
  prefix.write("\x93NUMPY", "latin1");
  prefix[6] = version;
  prefix.writeUIntLE(header.length, 8, lengthBytes);
  return Buffer.concat([prefix, Buffer.from(header, "latin1"), body]);
}

test.each(["float32", "float64"])("reads what NumPy wrote as %s", (type) => {
  const { rows, columns, data } = parseNpy(writtenByNumpy(type), "k.npy");
  expect([rows, columns, [...data]]).toEqual([3, 3, VALUES]);
});

test("reads rows before columns, and format version 2", () => {
  const body = Buffer.from(Float64Array.of(1, 2, 3, 4, 5, 6).buffer);
  const { rows, columns, data } = parseNpy(npy("'<f8'", "False", "2, 3", body, 2), "k.npy");
  expect([rows, columns, [...data]]).toEqual([2, 3, [1, 2, 3, 4, 5, 6]]);
});

test("reads Fortran order, which is how scipy.io.loadmat hands matrices on", () => {
  const body = Buffer.from(Float64Array.of(1, 4, 2, 5, 3, 6).buffer);
  const { rows, columns, data } = parseNpy(npy("'<f8'", "True", "2, 3", body), "k.npy");
  expect([rows, columns, [...data]]).toEqual([2, 3, [1, 2, 3, 4, 5, 6]]);
  expect(parseNpy(readFixture("kernels/loadmat.npy"), "k.npy")).toMatchObject({ rows: 17, columns: 17 });
});

test("refuses a header longer than NumPy's, before it looks for anything in it", () => {
  // Each of these would let a search for the closing bracket run to the end.
  const header = "'shape':(".repeat(200_000);
  const bytes = Buffer.alloc(12 + header.length);
  bytes.write("\x93NUMPY\x02\x00", "latin1");
  bytes.writeUInt32LE(header.length, 8);
  bytes.write(header, 12);
  expect(() => parseNpy(bytes, "k.npy")).toThrow(/k\.npy: NumPy header of 1800000 bytes; expected .*at most 10000/);
});

test.each([
  ["no NumPy file", Buffer.from("not a kernel at all"), /k\.npy: not a NumPy file; expected a two-dimensional/],
  ["big-endian", npy("'>f8'", "False", "3, 3"), /type '>f8'; expected .*little-endian float32 or float64/],
  ["integers", npy("'<i8'", "False", "3, 3"), /type '<i8'/],
  ["records", npy("[('a', '<f8')]", "False", "3, 3"), /lacks a plain 'descr'/],
  ["Python objects", npy("'|O'", "False", "3, 3"), /holds Python objects \(a pickle\)/],
  ["one dimension", npy("'<f8'", "False", "9,"), /shape \(9,\)/],
  ["three dimensions", npy("'<f8'", "False", "1, 3, 3"), /shape \(1, 3, 3\)/],
  [
    "too few values",
    npy("'<f8'", "False", "3, 3", Buffer.alloc(71)),
    /damaged NumPy file: 71 bytes where 72 should be/,
  ],
  ["too many values", npy("'<f8'", "False", "3, 3", Buffer.alloc(80)), /80 bytes where 72/],
  ["an unknown version", npy("'<f8'", "False", "3, 3", Buffer.alloc(72), 9), /version 9/],
])("refuses %s", (_, bytes, message) => {
  expect(() => parseNpy(bytes, "k.npy")).toThrow(InputError);
  expect(() => parseNpy(bytes, "k.npy")).toThrow(message);
});

test("refuses a file cut short anywhere", () => {
  const whole = writtenByNumpy("float64");
  for (let length = 0; length < whole.length; length++) {
    expect(() => parseNpy(whole.subarray(0, length), "k.npy")).toThrow(InputError);
  }
});
