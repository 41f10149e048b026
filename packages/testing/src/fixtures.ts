import { readFileSync } from "node:fs";

/** A file of test/fixtures: small inputs that other programs wrote. */
export function readFixture(name: string): Buffer {
  return readFileSync(new URL(`../../../test/fixtures/${name}`, import.meta.url));
}
