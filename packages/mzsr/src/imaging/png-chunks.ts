/** Chunks of PNG files (PNG specification, third edition). */
import { crc32, deflateSync } from "node:zlib";

const SIGNATURE_BYTES = 8;
/** Length, name and checksum beside the header's 13 bytes. */
const HEADER_CHUNK_BYTES = 25;

/** A PNG file with further chunks right behind its header, where all that describe its colours may stand. */
export function withPngChunks(png: Buffer, chunks: readonly Buffer[]): Buffer {
  const at = SIGNATURE_BYTES + HEADER_CHUNK_BYTES;
  return Buffer.concat([png.subarray(0, at), ...chunks, png.subarray(at)]);
}

/** An ICC profile. */
export function profileChunk(profile: Uint8Array): Buffer {
  return pngChunk("iCCP", Buffer.concat([Buffer.from("icc\0\0", "latin1"), deflateSync(profile)]));
}

/** An EXIF block without JPEG's mark. */
export function exifChunk(exif: Uint8Array): Buffer {
  return pngChunk("eXIf", Buffer.from(exif));
}

/** A text in Latin-1 under a keyword. */
export function textChunk(keyword: string, text: string): Buffer {
  return pngChunk("tEXt", Buffer.from(`${keyword}\0${text}`, "latin1"));
}

/** A chunk of any kind, with its length and check sum. */
export function pngChunk(name: string, body: Buffer): Buffer {
  const head = Buffer.alloc(8);
  head.writeUInt32BE(body.length);
  head.write(name, 4, "latin1");
  const check = Buffer.alloc(4);
  check.writeUInt32BE(crc32(Buffer.concat([head.subarray(4), body])));
  return Buffer.concat([head, body, check]);
}
