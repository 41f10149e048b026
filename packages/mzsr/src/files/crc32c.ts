/** CRC-32C (Castagnoli), reflected polynomial. */
const POLYNOMIAL = 0x82f63b78;

/** What TensorFlow and LevelDB add to a rotated CRC, so that a CRC of data with CRCs in it stays useful. */
const MASK_DELTA = 0xa282ead8;

/** Makes a function that computes the CRC-32C of bytes. */
export function crc32cTable(): (bytes: Uint8Array) => number {
  const table = Uint32Array.from({ length: 256 }, (_, byte) => {
    let value = byte;
    for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ POLYNOMIAL : value >>> 1;
    return value;
  });
  return (bytes) => {
    let crc = 0xffffffff;
    for (const byte of bytes) crc = table[(crc ^ byte) & 0xff]! ^ (crc >>> 8);
    return ~crc >>> 0;
  };
}

/** The masked form in which LevelDB tables and TensorFlow checkpoints store a CRC-32C. */
export function maskedCrc(crc: number): number {
  return (((crc >>> 15) | (crc << 17)) + MASK_DELTA) >>> 0;
}
