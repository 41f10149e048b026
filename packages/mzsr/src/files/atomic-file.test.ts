import { readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { temporaryFolder } from "@mzsr/testing/temporary-folder";
import { beforeEach, expect, it } from "vitest";
import { writeFileAtomically } from "./atomic-file.js";

let folder: string;
beforeEach(async () => {
  folder = await temporaryFolder();
});

const bytes = Buffer.from("new");

it("a name as long as the file system takes can be written", async () => {
  for (const name of ["n".repeat(255), "é".repeat(127)]) {
    await writeFileAtomically(join(folder, name), bytes);
    expect(await readdir(folder)).toEqual([name]);
    await rm(join(folder, name));
  }
});

it("a file is replaced, or kept when it is not to be replaced, and nothing else is left", async () => {
  const path = join(folder, "a.png");
  await writeFile(path, "old");
  await expect(writeFileAtomically(path, bytes, { replace: false })).rejects.toMatchObject({ code: "EEXIST" });
  expect(await readFile(path, "utf8")).toBe("old");
  await writeFileAtomically(path, bytes);
  expect(await readFile(path, "utf8")).toBe("new");
  await writeFileAtomically(join(folder, "b.png"), bytes, { replace: false });
  expect(await readdir(folder)).toEqual(["a.png", "b.png"]);
});

it("a link that leads nowhere is not followed and not replaced", async () => {
  const path = join(folder, "a.png");
  await symlink("nowhere.png", path);
  await expect(writeFileAtomically(path, bytes, { replace: false })).rejects.toMatchObject({ code: "EEXIST" });
  expect(await readdir(folder)).toEqual(["a.png"]);
});

it("of writers at the same time that must not replace, one wins and its file is whole", async () => {
  const path = join(folder, "a.png");
  const contents = Array.from({ length: 8 }, (_, i) => `${i}`.repeat(10_000));
  const ends = await Promise.allSettled(
    contents.map((text) => writeFileAtomically(path, Buffer.from(text), { replace: false })),
  );
  const winners = contents.filter((_, i) => ends[i]!.status === "fulfilled");
  expect(winners).toEqual([await readFile(path, "utf8")]);
  expect(await readdir(folder)).toEqual(["a.png"]);
});
