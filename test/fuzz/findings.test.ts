/** What fuzzing has found, each by its smallest input: parsers throw our errors for it, soon. */
import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { isOurs, withinBudget } from "./budget.js";
import { TARGETS } from "./targets.js";

const FINDINGS: readonly { readonly parser: string; readonly what: string; readonly bytes: Uint8Array }[] = [
  { parser: "images", what: "nothing", bytes: new Uint8Array() },
  { parser: "statuses over NATS", what: "no JSON", bytes: new Uint8Array() },
  { parser: "statuses over NATS", what: "JSON without a status", bytes: Buffer.from("null") },
  { parser: "statuses over NATS", what: "zeroes that unpack to 1 GB", bytes: gzipSync(Buffer.alloc(2 ** 30)) },
];

test.each(FINDINGS)("$parser: $what", async ({ parser, bytes }) => {
  const target = TARGETS.find(({ name }) => name === parser)!;
  await withinBudget(() => target.read(bytes));
  const thrown = await Promise.resolve()
    .then(() => target.read(bytes))
    .then(
      () => undefined,
      (reason: unknown) => reason,
    );
  expect(isOurs(thrown), String(thrown)).toBe(true);
});
