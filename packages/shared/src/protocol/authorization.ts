/**
 * How a call says that it may be made: gRPC metadata `authorization: Bearer TOKEN` (RFC 6750), which the coordinator has
 * before any message.
 */
import { Metadata } from "@grpc/grpc-js";

/** The key of the metadata. */
export const AUTHORIZATION = "authorization";

const LONGEST_TOKEN = 1_000;

/** Whether a secret can travel in metadata: printable ASCII, at most 1,000 characters. */
export function canBeToken(text: string): boolean {
  return text.length <= LONGEST_TOKEN && /^[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?$/.test(text);
}

/** Metadata of a call; empty without a token. */
export function authorization(token: string): Metadata {
  const metadata = new Metadata();
  if (token !== "") metadata.set(AUTHORIZATION, `Bearer ${token}`);
  return metadata;
}

/** The token that metadata of a call shows; empty where it shows none. */
export function tokenShown(metadata: Metadata): string {
  const [value = ""] = metadata.get(AUTHORIZATION);
  return /^Bearer (.*)$/i.exec(value.toString())?.[1]?.trim() ?? "";
}
