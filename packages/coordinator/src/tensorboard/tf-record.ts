/**
 * TensorFlow's record files, as far as writing goes: uint64 length, uint32 masked CRC-32C of the length, the data, uint32
 * masked CRC-32C of the data, little-endian, one record after the other ("TFRecords format details" in
 * https://www.tensorflow.org/tutorials/load_data/tfrecord).
 */
import { crc32cTable, maskedCrc } from "@mzsr/mzsr";

const LENGTH_BYTES = 8;
const CRC_BYTES = 4;

/** Makes a function that wraps data as a record. */
export function recordFraming(): (data: Uint8Array) => Uint8Array {
  const crc32c = crc32cTable();
  return (data) => {
    const record = Buffer.alloc(LENGTH_BYTES + CRC_BYTES + data.length + CRC_BYTES);
    record.writeBigUInt64LE(BigInt(data.length), 0);
    record.writeUInt32LE(maskedCrc(crc32c(record.subarray(0, LENGTH_BYTES))), LENGTH_BYTES);
    record.set(data, LENGTH_BYTES + CRC_BYTES);
    record.writeUInt32LE(maskedCrc(crc32c(data)), record.length - CRC_BYTES);
    return record;
  };
}
