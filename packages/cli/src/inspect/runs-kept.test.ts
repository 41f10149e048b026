/** Runs as people keep them: notes, tags, search, removal. */
import { existsSync } from "node:fs";
import { mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { mzsr } from "@mzsr/testing/run-command";
import { temporaryFolder } from "@mzsr/testing/temporary-folder";
import { expect, it } from "vitest";

/** A folder with what a run leaves. */
async function runIn(parent: string, name: string): Promise<string> {
  const folder = join(parent, name);
  await mkdir(join(folder, "checkpoints"), { recursive: true });
  await writeFile(join(folder, ".mzsr-run"), "mzsr-run-1\n");
  await writeFile(join(folder, "config.yaml"), "pretraining: {steps: 10}\nmetaTraining: {steps: 5}\n");
  await writeFile(join(folder, "checkpoints/step-00000010.safetensors"), "");
  return folder;
}

it("keeps a note and tags of a run, lists them, and finds runs by them", async () => {
  const runs = await temporaryFolder();
  const first = await runIn(runs, "first");
  await runIn(runs, "second");
  const written = await mzsr(["runs", first, "--note", "half the rate", "--tag", "baseline", "--tag", "old"]);
  expect(written).toMatchObject({ code: 0, out: `${first}  #baseline  #old  half the rate\n` });
  // Each change leaves the rest as it was.
  await mzsr(["runs", first, "--untag", "old"]);
  const listed = await mzsr(["runs", runs, "--search", "BASE"]);
  expect(listed.out).toMatch(/^first .* {2}#baseline {2}half the rate\n$/);
  const { out } = await mzsr(["runs", runs, "--search", "rate", "--json"]);
  expect(JSON.parse(out)).toMatchObject([{ run: "first", note: "half the rate", tags: ["baseline"] }]);
  expect(await mzsr(["runs", runs, "--search", "nothing"])).toMatchObject({
    out: "",
    notes: expect.stringContaining("no run has nothing"),
  });

  await mzsr(["runs", first, "--untag", "baseline", "--note", ""]);
  expect(existsSync(join(first, "about.json"))).toBe(false);
}, 60_000);

it("removes a run whole, with its note, and nothing that a run did not write", async () => {
  const runs = await temporaryFolder();
  const run = await runIn(runs, "run");
  await mzsr(["runs", run, "--note", "to go"]);
  await writeFile(join(run, "mine.txt"), "");
  const refused = await mzsr(["runs", run, "--remove"]);
  expect(refused).toMatchObject({ code: 2, notes: expect.stringContaining("not mine.txt") });
  expect(existsSync(join(run, "checkpoints/step-00000010.safetensors"))).toBe(true);

  const other = await runIn(runs, "other");
  const kept = join(runs, "kept");
  await writeFile(kept, "kept");
  await symlink(kept, join(other, "metrics.jsonl"));
  expect((await mzsr(["runs", other, "--remove"])).code).toBe(2);
  expect(await readFile(kept, "utf8")).toBe("kept");

  const third = await runIn(runs, "third");
  expect(await mzsr(["runs", third, "--remove"])).toMatchObject({ code: 0, notes: `${third}: removed\n` });
  expect(existsSync(third)).toBe(false);
}, 60_000);

it.each([
  [["--remove"], /no \.mzsr-run/],
  [["--note", "text"], /is not a run/],
  [["--tag", "two words"], /Expected a word/],
  [["--remove", "--note", "text"], /--remove alone/],
  [["--search", "a", "--tag", "b"], /one or the other/],
])("refuses %j for a folder that is no run, or that contradicts itself", async (options, said) => {
  const folder = await temporaryFolder();
  const { code, notes } = await mzsr(["runs", folder, ...options]);
  expect([code, notes]).toEqual([2, expect.stringMatching(said)]);
});
