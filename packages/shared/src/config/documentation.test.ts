import { readFile } from "node:fs/promises";
import { expect, it } from "vitest";
import { configurationKeys } from "./keys.js";

it("docs/configuration.md names every key with its range and default, and no other", async () => {
  const page = await readFile(new URL("../../../../docs/configuration.md", import.meta.url), "utf8");
  const tables = page.slice(0, page.indexOf("## Environment"));
  const rows = [...tables.matchAll(/^\| `([\w.]+)` \| (.+?) \| (.+?) \| .{10,} \|$/gm)].map((row) => row.slice(1));
  const expected = configurationKeys().map(({ path, allowed, defaultValue }) => {
    const text = typeof defaultValue === "string" ? defaultValue : JSON.stringify(defaultValue);
    return [path, allowed, defaultValue === undefined ? "not set" : `\`${text}\``];
  });
  expect(rows).toEqual(expected);
});
