import { cp, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { mzsr } from "@mzsr/testing/run-command";
import { temporaryFolder } from "@mzsr/testing/temporary-folder";
import { beforeEach, expect, it } from "vitest";
import { checkpointPrefix } from "./checkpoint-path.js";

/** A network of depth 2 and width 3, as `tf.train.Saver` writes it. */
const SMALL = fileURLToPath(new URL("../../../../test/fixtures/tf1", import.meta.url));

let folder: string;
beforeEach(async () => {
  folder = await temporaryFolder();
  await cp(SMALL, folder, { recursive: true });
  await writeFile(join(folder, "small.meta"), "a graph");
});

it("a checkpoint is found by its prefix, each of its files, and its folder", async () => {
  const names = ["small", "small.index", "small.meta", "small.data-00000-of-00001", "small.data-00003-of-00009", ""];
  for (const name of names) expect(await checkpointPrefix(join(folder, name))).toBe(join(folder, "small"));
});

it("a prefix that ends like one of its files, or is also a folder, stays what it is", async () => {
  for (const name of ["odd.meta", "twin"]) await writeFile(join(folder, `${name}.index`), "");
  await mkdir(join(folder, "twin"));
  for (const name of ["odd.meta", "twin"]) {
    expect(await checkpointPrefix(join(folder, name))).toBe(join(folder, name));
  }
});

it("of several in a folder, TensorFlow's list says the newest; without it all are named", async () => {
  await writeFile(join(folder, "model-20000.index"), "");
  await expect(checkpointPrefix(folder)).rejects.toThrow(
    `${folder}: several checkpoints in this folder; expected one of model-20000, small`,
  );
  const list = join(folder, "checkpoint");
  await writeFile(list, 'model_checkpoint_path: "/home/author/x/model-20000"\nall_model_checkpoint_paths: "small"\n');
  for (const typed of [folder, list]) expect(await checkpointPrefix(typed)).toBe(join(folder, "model-20000"));
  await writeFile(list, 'model_checkpoint_path: "gone"\n');
  await expect(checkpointPrefix(folder)).rejects.toThrow(/several checkpoints/);
});

it("what is missing is named by what was typed", async () => {
  const none = join(folder, "none");
  for (const typed of [none, `${none}.meta`, `${none}.index`, join(none, "none")]) {
    await expect(checkpointPrefix(typed)).rejects.toThrow(
      `${typed}: no such file, folder or checkpoint; expected a Tensor`,
    );
  }
  await rm(join(folder, "small.index"));
  const { meta, data } = { meta: join(folder, "small.meta"), data: join(folder, "small.data-00000-of-00001") };
  for (const typed of [meta, data, join(folder, "small")]) {
    await expect(checkpointPrefix(typed)).rejects.toThrow(`${typed}: there is no small.index beside it`);
  }
  await expect(checkpointPrefix(folder)).rejects.toThrow(`${folder}: no checkpoint in this folder`);
});

it("import makes a model of a folder, and replaces a file only when told to", { timeout: 60_000 }, async () => {
  const output = join(folder, "model.safetensors");
  const first = await mzsr(["import", folder, "-o", output]);
  expect([first.code, first.out]).toEqual([0, expect.stringContaining("depth 2, width 3")]);
  await writeFile(output, "something else");
  const second = await mzsr(["import", join(folder, "small.meta"), "-o", output]);
  expect([second.code, second.notes]).toEqual([
    2,
    expect.stringContaining("exists already; expected another name, or --force"),
  ]);
  expect(await readFile(output, "utf8")).toBe("something else");
  expect((await mzsr(["import", join(folder, "small.meta"), "-o", output, "--force"])).code).toBe(0);
  expect((await readFile(output, "latin1")).slice(8, 9)).toBe("{");
});
