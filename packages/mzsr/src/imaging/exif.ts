/** What of an EXIF block must change when its photo is turned upright. */

/** Before the TIFF structure in JPEG files, and not in others. */
const MARK = Buffer.from("Exif\0\0", "latin1");

const ORIENTATION = 0x0112;
const UPRIGHT = 1;

/**
 * A copy of an EXIF block, without JPEG's mark, whose orientation says that the pixels are upright.
 * @returns undefined where the bytes are no TIFF structure
 */
export function uprightExif(block: Uint8Array): Buffer | undefined {
  const bytes = Buffer.from(block);
  const tiff = bytes.subarray(0, MARK.length).equals(MARK) ? bytes.subarray(MARK.length) : bytes;
  const order = tiff.subarray(0, 4).toString("latin1");
  if (tiff.length < 8 || (order !== "II*\0" && order !== "MM\0*")) return undefined;
  const [read16, read32] = order.startsWith("II")
    ? [(at: number) => tiff.readUInt16LE(at), (at: number) => tiff.readUInt32LE(at)]
    : [(at: number) => tiff.readUInt16BE(at), (at: number) => tiff.readUInt32BE(at)];
  const directory = read32(4);
  const entries = directory + 2 <= tiff.length ? read16(directory) : 0;
  for (let i = 0; i < entries; i++) {
    const at = directory + 2 + 12 * i;
    if (at + 12 > tiff.length) return undefined;
    if (read16(at) !== ORIENTATION) continue;
    if (order.startsWith("II")) tiff.writeUInt16LE(UPRIGHT, at + 8);
    else tiff.writeUInt16BE(UPRIGHT, at + 8);
  }
  return tiff;
}
