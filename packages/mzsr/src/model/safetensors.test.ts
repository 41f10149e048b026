import { describe, expect, it } from "vitest";
import { InputError } from "../errors.js";
import { decodeSafetensors, encodeSafetensors, type NamedTensor } from "./safetensors.js";

const TENSORS: NamedTensor[] = [
  { name: "bytes", shape: [3], data: Uint8Array.of(1, 2, 255) },
  { name: "single", shape: [2, 2], data: Float32Array.of(1.5, -2, 0, 1e-30) },
  { name: "double", shape: [1], data: Float64Array.of(Math.PI) },
  { name: "none", shape: [0], data: new Float32Array() },
];

describe("safetensors", () => {
  it("come back as they went", () => {
    const { tensors, metadata } = decodeSafetensors(encodeSafetensors(TENSORS, { step: "7", text: "é" }), "x");
    expect(metadata).toEqual({ step: "7", text: "é" });
    expect(tensors.size).toBe(4);
    for (const tensor of TENSORS) expect(tensors.get(tensor.name)).toEqual(tensor);
  });

  it("are laid out as the format says: header length, JSON, aligned data without gaps", () => {
    const bytes = encodeSafetensors(TENSORS, {});
    const length = Number(new DataView(bytes.buffer).getBigUint64(0, true));
    expect(length % 8).toBe(0);
    const header = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + length)));
    expect(header.double).toEqual({ dtype: "F64", shape: [1], data_offsets: [0, 8] });
    expect(header.single).toEqual({ dtype: "F32", shape: [2, 2], data_offsets: [8, 24] });
    expect(header.bytes).toEqual({ dtype: "U8", shape: [3], data_offsets: [24, 27] });
    expect(bytes).toHaveLength(8 + length + 27);
  });

  it("are read from the middle of a larger buffer", () => {
    const bytes = encodeSafetensors(TENSORS, {});
    const padded = Buffer.concat([Buffer.alloc(5), bytes]);
    expect(decodeSafetensors(padded.subarray(5), "x").tensors.get("double")).toEqual(TENSORS[2]);
  });

  it("are refused wherever they are cut short", () => {
    const bytes = encodeSafetensors(TENSORS, { step: "7" });
    for (let length = 0; length < bytes.length; length++) {
      expect(() => decodeSafetensors(bytes.subarray(0, length), "model"), `${length} bytes`).toThrow(InputError);
    }
    expect(() => decodeSafetensors(bytes.subarray(0, 4), "model")).toThrow(
      "model: only 4 bytes, the file is cut short",
    );
  });

  it.each([
    ["not JSON", "{", "the header is not JSON"],
    ["not an object", "[]", "the header is not an object"],
    ["a tensor without a shape", '{"a":{"dtype":"F32","data_offsets":[0,4]}}', "tensor a is not described"],
    ["an unknown type", '{"a":{"dtype":"F16","shape":[2],"data_offsets":[0,4]}}', "tensor a has type F16"],
    ["a shape of another size", '{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}', "needs 8"],
    ["a negative side", '{"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}', "tensor a is not described"],
    [
      "numbers in the metadata",
      '{"__metadata__":{"a":1},"t":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}',
      "__metadata__",
    ],
    ["more data than described", "{}", "4 bytes of data where the header says 0"],
  ])("are refused with %s in the header", (_, header, message) => {
    const bytes = new Uint8Array(8 + header.length + 4);
    new DataView(bytes.buffer).setBigUint64(0, BigInt(header.length), true);
    bytes.set(new TextEncoder().encode(header), 8);
    expect(() => decodeSafetensors(bytes, "model")).toThrow(message);
    expect(() => decodeSafetensors(bytes, "model")).toThrow(InputError);
  });

  const described = (...offsets: [number, number][]) =>
    JSON.stringify(
      Object.fromEntries(
        offsets.map(([start, end], i) => [`t${i}`, { dtype: "U8", shape: [end - start], data_offsets: [start, end] }]),
      ),
    );

  it.each([
    [
      "overlap",
      described([0, 8], [4, 12]),
      12,
      /tensor t1 starts at byte 4 and overlaps the tensor before it; expected byte 8/,
    ],
    ["all are the same bytes", described(...Array<[number, number]>(400).fill([0, 8])), 8, /overlaps/],
    [
      "leave a gap",
      described([0, 4], [8, 12]),
      12,
      /tensor t1 starts at byte 8 and leaves a gap before it; expected byte 4/,
    ],
    ["begin late", described([4, 8]), 8, /tensor t0 starts at byte 4 and leaves a gap/],
  ])("are refused where tensors %s", (_, header, size, message) => {
    const bytes = new Uint8Array(8 + header.length + size);
    new DataView(bytes.buffer).setBigUint64(0, BigInt(header.length), true);
    bytes.set(new TextEncoder().encode(header), 8);
    expect(() => decodeSafetensors(bytes, "model")).toThrow(message);
    expect(() => decodeSafetensors(bytes, "model")).toThrow(InputError);
  });

  it("are taken in whatever order the header names them", () => {
    const header = described([4, 8], [8, 8], [0, 4]);
    const bytes = new Uint8Array(8 + header.length + 8);
    new DataView(bytes.buffer).setBigUint64(0, BigInt(header.length), true);
    bytes.set(new TextEncoder().encode(header), 8);
    expect([...decodeSafetensors(bytes, "model").tensors.keys()]).toEqual(["t0", "t1", "t2"]);
  });

  it("are not taken from a file of another kind", () => {
    expect(() => decodeSafetensors(Buffer.from("\x89PNG\r\n\x1a\n and so on"), "a.png")).toThrow(
      "not a safetensors file",
    );
  });
});
