import { StreamDecoder } from "@grpc/grpc-js/build/src/stream-decoder.js";
import { expect, test } from "vitest";
import { FrameReader, PREFIX_BYTES } from "./frame-reader.js";
import { MessageMemory } from "./message-memory.js";

function readerOf(maxBytes: number): FrameReader {
  return new FrameReader(maxBytes, new MessageMemory(1e9), {
    pause: () => expect.fail("paused"),
    resume: () => expect.fail("resumed"),
    refuse: (_, reason) => expect.fail(reason),
  });
}

/** What a reader with room for messages of 10 bytes says to the first bytes of a stream. */
function refusalOf(data: Buffer): string | undefined {
  let refused: string | undefined;
  const flow = { pause: () => expect.fail("paused"), resume: () => expect.fail("resumed") };
  const reader = new FrameReader(10, new MessageMemory(1e9), {
    ...flow,
    refuse: (violation, reason) => {
      refused = `${violation}: ${reason}`;
    },
  });
  expect(reader.write(data)).toEqual([]);
  expect(reader.write(Buffer.alloc(100))).toEqual([]);
  return refused;
}

/** Frames of such messages, one after the other. */
function streamOf(sizes: readonly number[]): Buffer {
  return Buffer.concat(
    sizes.map((size, i) => {
      const frame = Buffer.alloc(PREFIX_BYTES + size, i + 1);
      frame.writeUInt8(0, 0);
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
    const [ours, theirs] = [readerOf(1000), new StreamDecoder(-1)];
    for (let at = 0; at < stream.length; at += piece) {
      const data = stream.subarray(at, at + piece);
      expect(hexOf(ours.write(data))).toBe(hexOf(theirs.write(data)));
    }
  }
});

test("a frame lies in memory of its own: the pieces that it came in may be let go or used again", () => {
  const reader = readerOf(1e6);
  const stream = streamOf([200_000]);
  const [first, last] = [Buffer.from(stream.subarray(0, 150_000)), Buffer.from(stream.subarray(150_000))];
  expect(reader.write(first)).toEqual([]);
  first.fill(0);
  const [frame] = reader.write(last);
  last.fill(0);
  expect(frame!.equals(stream)).toBe(true);
});

test("a message that will be too large is refused when its length arrives, and nothing after it is read", () => {
  const data = streamOf([11]).subarray(0, PREFIX_BYTES);
  expect(refusalOf(data)).toBe("too-large: a message of 11 bytes is larger than any may be here (10)");
  const reader = readerOf(10);
  reader.allow(11);
  expect(reader.write(data)).toEqual([]);
});

test("a message that says it is compressed is refused before it is there", () => {
  expect(refusalOf(Buffer.of(1, 0, 0, 0, 5))).toBe(
    "compressed: compressed messages are not taken; send them as they are",
  );
});

/** Two streams with room for one message of 100 kB at a time, each cut into pieces; what each has read, and when it paused. */
function twoStreams() {
  const memory = new MessageMemory(200_000);
  const sides = [0, 1].map(() => {
    const log: string[] = [];
    const read = (data: Buffer) => {
      for (const frame of reader.write(data)) log.push(`${frame.length}`);
    };
    const reader = new FrameReader(1e9, memory, {
      pause: () => log.push("pause"),
      resume: (pieces) => {
        log.push("resume");
        for (const piece of pieces) read(piece);
      },
      refuse: (_, reason) => expect.fail(reason),
    });
    return { reader, read, log };
  });
  return { memory, first: sides[0]!, second: sides[1]! };
}
const LARGE = 100_000;
const LARGE_FRAME = `${LARGE + PREFIX_BYTES}`;

test("a large message waits until the one before it has been read, and nothing of it is lost meanwhile", () => {
  const { memory, first, second } = twoStreams();
  const stream = streamOf([LARGE, 3]);
  first.read(stream);
  second.read(stream.subarray(0, 7));
  second.read(stream.subarray(7));
  expect([first.log, second.log]).toEqual([
    [LARGE_FRAME, "8"],
    ["pause", "pause"],
  ]);
  first.reader.release();
  expect(second.log).toEqual(["pause", "pause", "resume", LARGE_FRAME, "8"]);
  second.reader.release();
  expect(memory.usedBytes).toBe(0);
});

test("a stream that ends gives its room to others, whether its message arrived, was read or still waits", () => {
  const { memory, first, second } = twoStreams();
  const stream = streamOf([LARGE]);
  first.read(stream.subarray(0, 50_000));
  second.read(stream);
  first.reader.close();
  expect(second.log).toEqual(["pause", "resume", LARGE_FRAME]);
  const third = twoStreams();
  third.first.read(stream);
  third.second.read(stream);
  third.second.reader.close();
  third.first.reader.release();
  expect(third.second.log).toEqual(["pause"]);
  second.reader.close();
  expect([memory.usedBytes, third.memory.usedBytes]).toEqual([0, 0]);
});

test("the memory of a message that was read is used for the next, that of a stream which ended is not", () => {
  const { first, second } = twoStreams();
  const [frame] = first.reader.write(streamOf([LARGE]));
  first.reader.release();
  const [next] = first.reader.write(streamOf([LARGE]));
  expect(next!.buffer).toBe(frame!.buffer);
  first.reader.close();
  const [other] = second.reader.write(streamOf([LARGE]));
  expect(other!.buffer).not.toBe(frame!.buffer);
});
