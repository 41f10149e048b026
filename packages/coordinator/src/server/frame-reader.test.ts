import { StreamDecoder } from "@grpc/grpc-js/build/src/stream-decoder.js";
import { expect, test } from "vitest";
import { FrameReader, PREFIX_BYTES } from "./frame-reader.js";

/** Frames of such messages, one after the other. */
function streamOf(sizes: readonly number[]): Buffer {
  return Buffer.concat(
    sizes.map((size, i) => {
      const frame = Buffer.alloc(PREFIX_BYTES + size, i + 1);
      frame.writeUInt8(i % 2, 0);
      frame.writeUInt32BE(size, 1);
      return frame;
    }),
  );
}

function hexOf(frames: readonly Buffer[]): string {
  return frames.map((frame) => frame.toString("hex")).join(" ");
}

test("frames come out as from grpc-js's own decoder, wherever the stream is cut", () => {
  const stream = streamOf([0, 1, 7, 0, 300, 2, 0]);
  for (let piece = 1; piece <= stream.length; piece++) {
    const [ours, theirs] = [new FrameReader(-1), new StreamDecoder(-1)];
    for (let at = 0; at < stream.length; at += piece) {
      const data = stream.subarray(at, at + piece);
      expect(hexOf(ours.write(data))).toBe(hexOf(theirs.write(data)));
    }
  }
});

test("a frame lies in memory of its own: the pieces that it came in may be let go or used again", () => {
  const reader = new FrameReader(-1);
  const stream = streamOf([200_000]);
  const [first, last] = [Buffer.from(stream.subarray(0, 150_000)), Buffer.from(stream.subarray(150_000))];
  expect(reader.write(first)).toEqual([]);
  first.fill(0);
  const [frame] = reader.write(last);
  last.fill(0);
  expect(frame!.equals(stream)).toBe(true);
  expect(frame!.buffer.byteLength).toBe(stream.length);
});

test("a message that will be too large is refused when its length arrives, as by grpc-js", () => {
  const data = streamOf([11]).subarray(0, PREFIX_BYTES);
  const problem = "Received message larger than max (11 vs 10)";
  expect(() => new FrameReader(10).write(data)).toThrow(problem);
  expect(() => new StreamDecoder(10).write(data)).toThrow(problem);
  expect(new FrameReader(11).write(data)).toEqual([]);
});
