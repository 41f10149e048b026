/** Float32 arrays as little-endian bytes and back; without a copy where the machine and the alignment allow it. */
import { endianness } from "node:os";
import { InputError } from "@mzsr/mzsr";

/** The bytes of `values`, little-endian. On a little-endian machine they share the array's memory. */
export function floatsToBytes(values: Float32Array): Buffer {
  const bytes = Buffer.from(values.buffer, values.byteOffset, values.byteLength);
  return endianness() === "LE" ? bytes : Buffer.from(bytes).swap32();
}

/**
 * The float32 values that little-endian `bytes` hold. They share the memory of `bytes` when it is aligned to 4.
 * @throws InputError when the length is not a multiple of 4
 */
export function floatsFromBytes(bytes: Uint8Array, where: string): Float32Array {
  if (bytes.byteLength % 4 !== 0) {
    throw new InputError(`${bytes.byteLength} bytes are not float32 values`, {
      where,
      expected: "a multiple of 4 bytes",
    });
  }
  const sharable = endianness() === "LE" && bytes.byteOffset % 4 === 0;
  const owned = sharable ? bytes : Uint8Array.from(bytes);
  if (endianness() === "BE") Buffer.from(owned.buffer, owned.byteOffset, owned.byteLength).swap32();
  return new Float32Array(owned.buffer as ArrayBuffer, owned.byteOffset, owned.byteLength / 4);
}
