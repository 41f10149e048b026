import { createHash, timingSafeEqual } from "node:crypto";

/** Whether two secrets are the same, in a time that tells nothing about them. */
export function isSameSecret(given: string, expected: string): boolean {
  return timingSafeEqual(digest(given), digest(expected));
}

/** Digests have one length, whatever the length of the secret. */
function digest(text: string): Buffer {
  return createHash("sha256").update(text, "utf8").digest();
}
