// gRPC's frames (a zero byte, the length in 4 bytes, a message) and the few bytes of protobuf that let a gradient be sent
// without being copied.

const PREFIX_BYTES = 5;
/** WorkerMessage.result and .group, of length-delimited kind. */
const RESULT = 0x12;
const GROUP = 0x32;
/** TaskResult.gradient, GroupResult.high and .low, the same. */
const GRADIENT = 0x2a;
const HIGH = 0x12;
const LOW = 0x1a;

export function frameOf(message) {
  const frame = Buffer.allocUnsafe(PREFIX_BYTES + message.length);
  writePrefix(frame, message.length);
  frame.set(message, PREFIX_BYTES);
  return frame;
}

/**
 * The frame of a WorkerMessage whose TaskResult lacks its gradient yet, with it.
 * @param result what the protocol's own code serialised
 * @returns what to write, in order
 */
export function resultFrame(result, gradient) {
  return longFrame(RESULT, result, [[GRADIENT, gradient]]);
}

/** The same for a WorkerMessage whose GroupResult lacks its sums. */
export function groupFrame(group, high, low) {
  return longFrame(GROUP, group, [
    [HIGH, high],
    [LOW, low],
  ]);
}

/** @param message begins with `tag`, @param more the tag and the bytes of each field that is added to what it holds */
function longFrame(tag, message, more) {
  if (message[0] !== tag) throw new Error("this is a message of another kind");
  const fields = message.subarray(readVarint(message, 1).at);
  const heads = more.map(([field, bytes]) => Buffer.from([field, ...varint(bytes.length)]));
  const added = more.reduce((sum, [, bytes], i) => sum + heads[i].length + bytes.length, 0);
  const start = Buffer.from([0, 0, 0, 0, 0, tag, ...varint(fields.length + added)]);
  writePrefix(start, start.length - PREFIX_BYTES + fields.length + added);
  return [Buffer.concat([start, fields]), ...more.flatMap(([, bytes], i) => [heads[i], bytes])];
}

/** Cuts a stream into messages. Those whose first byte is not wanted are passed over without being kept. */
export class FrameReader {
  #wanted;
  #onMessage;
  /** Of the message that is being read. */
  #pieces = [];
  #missing = PREFIX_BYTES;
  #inPrefix = true;
  #keep = true;
  #atStart = false;

  constructor(wanted, onMessage) {
    this.#wanted = wanted;
    this.#onMessage = onMessage;
  }

  take(chunk) {
    for (let at = 0; at < chunk.length; ) {
      const piece = chunk.subarray(at, at + this.#missing);
      if (this.#atStart) this.#keep = this.#wanted(piece[0]);
      this.#atStart = false;
      if (this.#keep) this.#pieces.push(piece);
      at += piece.length;
      this.#missing -= piece.length;
      if (this.#missing === 0) this.#complete();
    }
  }

  #complete() {
    const bytes = this.#pieces.length === 1 ? this.#pieces[0] : Buffer.concat(this.#pieces);
    this.#pieces = [];
    const length = this.#inPrefix ? bytes.readUInt32BE(1) : 0;
    if (!this.#inPrefix && this.#keep) this.#onMessage(bytes);
    this.#inPrefix = length === 0;
    this.#missing = this.#inPrefix ? PREFIX_BYTES : length;
    this.#atStart = !this.#inPrefix;
    this.#keep = true;
  }
}

function writePrefix(frame, length) {
  frame[0] = 0;
  frame.writeUInt32BE(length, 1);
}

function varint(value) {
  const bytes = [];
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return [...bytes, rest];
    bytes.push((rest % 128) | 128);
  }
}

function readVarint(bytes, from) {
  let value = 0;
  for (let at = from, unit = 1; ; at++, unit *= 128) {
    value += (bytes[at] & 127) * unit;
    if (bytes[at] < 128) return { value, at: at + 1 };
  }
}
