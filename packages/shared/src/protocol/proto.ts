/**
 * The gRPC service `mzsr.v1.Cluster` as @grpc/grpc-js wants it. Types and descriptor are generated from
 * proto/mzsr/v1/cluster.proto at build time (scripts/generate-protocol.mjs).
 */
import { type ChannelCredentials, type ChannelOptions, credentials, makeClientConstructor } from "@grpc/grpc-js";
import { fromJSON } from "@grpc/proto-loader";
import { descriptorJson } from "./generated/descriptor.generated.js";
import type { ClusterClient, ClusterDefinition } from "./generated/mzsr/v1/Cluster.generated.js";

/** Both sides must speak the same. Raised when a change is not compatible. */
export const PROTOCOL_VERSION = 3;

/**
 * HTTP/2 flow-control window in bytes. gRPC's default of 64 KiB moves 2 MB/s at 20 ms of round trip; this one 94 MB/s.
 */
export const FLOW_CONTROL_WINDOW_BYTES = 4 * 1024 * 1024;

/** Largest message accepted, in bytes: a meta-gradient of 16 million parameters. */
export const MAX_MESSAGE_BYTES = 64 * 1024 * 1024;

/** Bytes of an image that travel in one ImageChunk. */
export const IMAGE_CHUNK_BYTES = 256 * 1024;

/**
 * Definition of the service, for `Server.addService`.
 * Numbers are JavaScript numbers (64-bit ones stay below 2^53), enums their names, absent fields their defaults, and
 * `message` names the member of a oneof that is set.
 */
export function clusterService(): ClusterDefinition {
  built ??= buildService();
  return built;
}

let built: ClusterDefinition | undefined;

/** Takes milliseconds: protobufjs generates and compiles a codec for each message. */
function buildService(): ClusterDefinition {
  const definition = fromJSON(JSON.parse(descriptorJson), {
    longs: Number,
    enums: String,
    defaults: true,
    oneofs: true,
  });
  return definition["mzsr.v1.Cluster"] as unknown as ClusterDefinition;
}

/**
 * Options of a channel to the coordinator: wide windows, large messages, and a keepalive that notices within half a minute
 * that the coordinator's machine is gone. An answer may take a while: it waits behind what other workers have sent.
 */
export function clientChannelOptions(): ChannelOptions {
  return {
    "grpc-node.flow_control_window": FLOW_CONTROL_WINDOW_BYTES,
    "grpc.max_receive_message_length": MAX_MESSAGE_BYTES,
    "grpc.max_send_message_length": MAX_MESSAGE_BYTES,
    "grpc.keepalive_time_ms": 10_000,
    "grpc.keepalive_timeout_ms": 20_000,
    "grpc.keepalive_permit_without_calls": 1,
    // A cluster's link is its own: a proxy of the surroundings is meant for the web, and few let a session through.
    "grpc.enable_http_proxy": 0,
    // The session reconnects with its own backoff; the channel's must not add to it.
    "grpc.initial_reconnect_backoff_ms": 100,
    "grpc.max_reconnect_backoff_ms": 1_000,
  };
}

/** A typed client of the coordinator at `address` (host:port). Nothing connects before the first call. */
export function clusterClient(
  address: string,
  channelCredentials: ChannelCredentials = credentials.createInsecure(),
  options: ChannelOptions = {},
): ClusterClient {
  const Client = makeClientConstructor(clusterService(), "Cluster");
  return new Client(address, channelCredentials, { ...clientChannelOptions(), ...options }) as unknown as ClusterClient;
}
