import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { smallDisk } from "@mzsr/testing/small-disk";
import { temporaryFolder } from "@mzsr/testing/temporary-folder";
import { expect, test } from "vitest";
import { JsonLines } from "./json-lines.js";
import { readJsonLines } from "./metrics-log.js";

const quiet = () => undefined;

test("lines stand in the file in the order in which they were appended, also those that come while it writes", async () => {
  const path = join(await temporaryFolder(), "lines.jsonl");
  const lines = await JsonLines.open(path, 0, quiet);
  lines.append(1);
  await Promise.resolve();
  for (let i = 2; i <= 500; i++) {
    lines.append(i);
    if (i % 50 === 0) await new Promise(setImmediate);
  }
  await lines.close();
  expect((await readFile(path, "utf8")).trim().split("\n").map(Number)).toEqual(
    Array.from({ length: 500 }, (_, i) => i + 1),
  );
});

test("a file is cut to the lines that are kept, and goes on after them", async () => {
  const path = join(await temporaryFolder(), "lines.jsonl");
  await writeFile(path, '{"a":1}\n{"a":2}\n{"a":');
  const read = await readJsonLines(path);
  expect(read.lines).toEqual([{ a: 1 }, { a: 2 }]);
  const lines = await JsonLines.open(path, read.bytes, quiet);
  lines.append({ a: 3 });
  await lines.close();
  expect(await readFile(path, "utf8")).toBe('{"a":1}\n{"a":2}\n{"a":3}\n');
});

test("lines that find no room wait, are told of once, and are written whole when there is room again", async (context) => {
  const folder = await smallDisk(context, 64);
  const ballast = join(folder, "ballast");
  await writeFile(ballast, Buffer.alloc(56 * 1024));
  const problems: (string | undefined)[] = [];
  const path = join(folder, "lines.jsonl");
  const lines = await JsonLines.open(path, 0, (problem) => problems.push(problem));
  const texts = Array.from({ length: 12 }, (_, i) => ({ i, padding: "x".repeat(1000) }));
  for (const text of texts) lines.append(text);
  await expect(lines.sync()).rejects.toThrow(/lines\.jsonl.*no space left/i);
  for (const line of (await readFile(path, "utf8")).split("\n").slice(0, -1))
    expect(() => JSON.parse(line)).not.toThrow();
  await rm(ballast);
  await lines.close();
  expect((await readJsonLines(path)).lines).toEqual(texts);
  expect(problems).toEqual([expect.stringMatching(/no space left/i), undefined]);
});
