import { crc32c, eventsIn } from "@mzsr/testing/event-files";
import { expect, test } from "vitest";
import { eventEncoding } from "./event-schema.js";
import { recordFraming } from "./tf-record.js";

test("the reader of these tests knows CRC-32C's check value and those of RFC 3720", () => {
  expect(crc32c(Buffer.from("123456789"))).toBe(0xe3069283);
  expect(crc32c(Buffer.alloc(32))).toBe(0x8a9136aa);
  expect(crc32c(Buffer.alloc(32, 0xff))).toBe(0x62a8ab43);
});

test("a record of 24 bytes begins as every event file of TensorFlow does", () => {
  const record = recordFraming()(new Uint8Array(24));
  expect(Buffer.from(record.subarray(0, 12)).toString("hex")).toBe("1800000000000000a37f4b22");
});

test("records one after the other are read again by another reader, and damage is found", () => {
  const [encode, frame] = [eventEncoding(), recordFraming()];
  const events = [
    { wallTime: 1767225599.25, fileVersion: "brain.Event:2" },
    { wallTime: 1767225600.5, step: 3_000_000_000, sessionLog: { status: "START" as const } },
    { wallTime: 1767225601, step: 7, summary: { value: [{ tag: "a/b", simpleValue: 0 }] } },
  ];
  const file = Buffer.concat(events.map((event) => frame(encode(event))));
  expect(eventsIn(file)).toEqual(events);
  file[file.length - 8]! ^= 1;
  expect(() => eventsIn(file)).toThrow("checksum");
});

test("an event has the bytes that protoc gives it", () => {
  const image = { height: 2, width: 3, colorspace: 3, encodedImageString: Uint8Array.of(1, 2, 255) };
  const value = [
    { tag: "loss/query/after", simpleValue: 0.5 },
    { tag: "preview/x/hr", image },
  ];
  const bytes = eventEncoding()({ wallTime: 1.5, step: 300, summary: { value } });
  expect(Buffer.from(bytes).toString("hex")).toBe(
    [
      "09000000000000f83f10ac022a360a170a106c6f73732f71756572792f6166746572150000003f0a1b0a0c7072",
      "65766965772f782f6872220b08021003180322030102ff",
    ].join(""),
  );
});
