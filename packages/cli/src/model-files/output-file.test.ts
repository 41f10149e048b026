import { link, mkdir, readdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { InputError } from "@mzsr/mzsr";
import { temporaryFolder } from "@mzsr/testing/temporary-folder";
import { beforeEach, describe, expect, it } from "vitest";
import { checkOutputFile, type OutputOptions } from "./output-file.js";

let folder: string;
let input: string;
beforeEach(async () => {
  folder = await temporaryFolder();
  input = join(folder, "photo.png");
  await writeFile(input, "the only copy");
});

const check = (path: string, options: Partial<OutputOptions> = {}) =>
  checkOutputFile(path, { extensions: [".png"], force: false, inputs: [input, join(folder, "missing")], ...options });

const refused = async (path: string, options: Partial<OutputOptions> = {}): Promise<string> => {
  const before = (await readdir(folder)).sort();
  const thrown = await check(path, options).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(thrown).toBeInstanceOf(InputError);
  expect((await readdir(folder)).sort()).toEqual(before);
  return (thrown as InputError).message;
};

describe("an output file", () => {
  it("that is an input is refused by every name that leads to it, told to replace or not", async () => {
    await symlink(input, join(folder, "link.png"));
    await link(input, join(folder, "hard.png"));
    await symlink(folder, join(folder, "same-folder"));
    const names = ["photo.png", "link.png", "hard.png", "same-folder/photo.png"].map((name) => join(folder, name));
    for (const name of [...names, relative(process.cwd(), input)]) {
      for (const force of [true, false]) {
        expect(await refused(name, { force })).toMatch(/is the same file as the input .*photo\.png.*never replaced/);
      }
    }
  });

  it("that exists is replaced only when told to", async () => {
    const other = join(folder, "other.png");
    await writeFile(other, "old");
    expect(await refused(other)).toMatch(/other\.png: exists already; expected another name, or --force/);
    await (await check(other, { force: true })).write(Buffer.from("new"));
    expect(await readFile(other, "utf8")).toBe("new");
    await symlink("nowhere", join(folder, "dangling.png"));
    expect(await refused(join(folder, "dangling.png"))).toMatch(/exists already/);
  });

  it("that comes into being during the work is kept", async () => {
    const output = await check(join(folder, "out.png"));
    await writeFile(output.path, "somebody else's");
    await expect(output.write(Buffer.from("ours"))).rejects.toThrow(/has come there meanwhile; it was kept/);
    expect(await readFile(output.path, "utf8")).toBe("somebody else's");
    expect((await readdir(folder)).sort()).toEqual(["out.png", "photo.png"]);
  });

  it("may have the longest name that there is, and a longer one is refused at once", async () => {
    const longest = `${"n".repeat(251)}.png`;
    await (await check(join(folder, longest))).write(Buffer.from("x"));
    expect(await readdir(folder)).toContain(longest);
    expect(await refused(join(folder, `n${longest}`))).toMatch(/the name is too long \(256 bytes\).*at most 255/);
    expect(await refused(join(folder, `${"é".repeat(126)}.png`))).toMatch(/\(256 bytes\)/);
    const deep = join(folder, ...Array.from({ length: 25 }, () => "d".repeat(200)), "out.png");
    expect(await refused(deep)).toMatch(/too long/);
  });

  it("where nothing can be written is refused at once", async () => {
    await mkdir(join(folder, "folder.png"));
    expect(await refused(join(folder, "nowhere", "out.png"))).toMatch(
      /no such file or folder: .*nowhere\); expected a name/,
    );
    expect(await refused(join(input, "out.png"))).toMatch(/photo\.png is not a folder/);
    expect(await refused(join(folder, "folder.png"), { force: true })).toMatch(/is a folder/);
    expect(await refused(join(folder, "out.jpg"))).toMatch(/a name that ends with \.png/);
  });

  it.skipIf(process.platform !== "linux")("in a folder that takes no new file is refused, for root too", async () => {
    expect(await refused("/proc/out.png")).toMatch(/cannot be written .*expected a name in a writable folder/);
  });
});
