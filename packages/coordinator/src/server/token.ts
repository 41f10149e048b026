import { createHash, timingSafeEqual } from "node:crypto";
import type { CheckToken } from "./call-rules.js";

/** Whether a call shows the shared secret. Without a secret everybody may enter. */
export function sharedSecret(expected: string | undefined): CheckToken {
  if (expected === undefined) return () => undefined;
  return (token) => {
    if (isSame(token, expected)) return undefined;
    const shown = token === "" ? "no token is shown" : "the token is not this cluster's";
    return { kind: "token", reason: `${shown}; give the worker the coordinator's` };
  };
}

/** Whether two secrets are the same, in a time that tells nothing about them. */
export function isSame(given: string, expected: string): boolean {
  return timingSafeEqual(digest(given), digest(expected));
}

/** Digests have one length, whatever the length of the secret. */
function digest(text: string): Buffer {
  return createHash("sha256").update(text, "utf8").digest();
}
