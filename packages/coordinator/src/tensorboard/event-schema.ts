/**
 * The part of TensorFlow's event files that scalars and pictures need. Names and field numbers are those of
 * tensorflow/core/util/event.proto and tensorflow/core/framework/summary.proto.
 */
import protobuf from "protobufjs";

const SCHEMA = `
syntax = "proto3";
package tensorflow;

message Event {
  double wall_time = 1;
  int64 step = 2;
  oneof what {
    string file_version = 3;
    Summary summary = 5;
    SessionLog session_log = 7;
  }
}
message SessionLog {
  enum SessionStatus { STATUS_UNSPECIFIED = 0; START = 1; STOP = 2; CHECKPOINT = 3; }
  SessionStatus status = 1;
}
message Summary {
  message Image {
    int32 height = 1;
    int32 width = 2;
    int32 colorspace = 3;
    bytes encoded_image_string = 4;
  }
  message Value {
    string tag = 1;
    oneof value {
      float simple_value = 2;
      Image image = 4;
    }
  }
  repeated Value value = 1;
}
`;

export interface EncodedPicture {
  readonly height: number;
  readonly width: number;
  /** Channels: 1 is grey, 3 is RGB. */
  readonly colorspace: number;
  /** A whole PNG. */
  readonly encodedImageString: Uint8Array;
}

/** A number or a picture under a name; TensorBoard groups by what is before the first slash. */
export type SummaryValue =
  | { readonly tag: string; readonly simpleValue: number }
  | { readonly tag: string; readonly image: EncodedPicture };

export type TensorBoardEvent = {
  /** Seconds since 1970. */
  readonly wallTime: number;
  readonly step?: number;
} & (
  | { readonly fileVersion: string }
  | { readonly sessionLog: { readonly status: "START" } }
  | { readonly summary: { readonly value: readonly SummaryValue[] } }
);

/** Makes a function that encodes an event as `tensorflow.Event`. */
export function eventEncoding(): (event: TensorBoardEvent) => Uint8Array {
  const type = protobuf.parse(SCHEMA, { keepCase: false }).root.lookupType("tensorflow.Event");
  return (event) => type.encode(type.fromObject(event)).finish();
}
