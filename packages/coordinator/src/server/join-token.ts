/**
 * Join tokens: what lets a worker into one run for some hours, made from the cluster's secret without asking anybody.
 *
 * `mzsr1.CLAIM.MAC`, both in base64url: the claim is JSON with id, run and expiry, the MAC HMAC-SHA256 of everything before it
 * (as JSON Web Tokens of HS256, with nothing to choose). Its key is derived from the secret with HKDF (RFC 5869), so that a
 * token tells nothing that could be shown in the secret's place. Whoever has a token can still try secrets against it, so a
 * short secret makes none.
 */
import { createHmac, hkdfSync, randomBytes } from "node:crypto";
import { isSameSecret } from "@mzsr/shared";

export interface JoinClaim {
  /** By which it is revoked; says nothing about the secret. */
  readonly id: string;
  readonly run: string;
  /** Seconds since 1970. */
  readonly expires: number;
}

const KEY_BYTES = 32;
/** As many as no guessing goes through: 20 random hexadecimal digits have 80 bits. */
export const SHORTEST_SIGNING_SECRET = 20;

/** An id that no other token has. */
export function newTokenId(): string {
  return randomBytes(6).toString("hex");
}

/** The token of a claim. */
export function signJoinToken(secret: string, claim: JoinClaim): string {
  const body = `mzsr1.${Buffer.from(JSON.stringify(claim)).toString("base64url")}`;
  return `${body}.${macOf(secret, body)}`;
}

/** What a token claims, if it was made from the secret; nothing else is read before that is known. */
export function readJoinToken(secret: string, token: string): JoinClaim | undefined {
  const [, body, claim, mac] = /^(mzsr1\.([\w-]+))\.([\w-]+)$/.exec(token) ?? [];
  if (body === undefined || !isSameSecret(mac!, macOf(secret, body))) return undefined;
  return JSON.parse(Buffer.from(claim!, "base64url").toString("utf8")) as JoinClaim;
}

function macOf(secret: string, body: string): string {
  const key = Buffer.from(hkdfSync("sha256", secret, "", "mzsr join tokens", KEY_BYTES));
  return createHmac("sha256", key).update(body).digest("base64url");
}
