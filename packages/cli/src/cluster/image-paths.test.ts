/** Training on a folder as people have them: some entries cannot be used. */
import { mkdir, readdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { mzsr } from "@mzsr/testing/run-command";
import { makePhotos, smallRun } from "@mzsr/testing/small-cluster-run";
import { sharedFolder } from "@mzsr/testing/temporary-folder";
import pino from "pino";
import { beforeAll, expect, it } from "vitest";
import { prepareRun } from "./prepare-run.js";
import { startRun } from "./start-run.js";

let mixed: string;

const root = sharedFolder();
beforeAll(async () => {
  mixed = join(root, "mixed");
  await makePhotos(mixed);
  await mkdir(join(mixed, "album.jpg"));
  await symlink("gone.jpg", join(mixed, "dangling.jpg"));
  await writeFile(join(mixed, "empty.png"), "");
});

it("up and coordinator list all images that they cannot use, and leave no run", { timeout: 120_000 }, async () => {
  for (const command of ["up", "coordinator"]) {
    const run = join(root, command);
    const { code, notes } = await mzsr([command, ...smallRun(mixed, 1, 1), "--run", run, "--http-port", "0"]);
    expect(code).toBe(2);
    expect(notes.slice(notes.indexOf("mzsr: ")).trimEnd().split("\n")).toEqual([
      "mzsr: data: 3 of 5 images cannot be used; expected whole images, or --skip-bad to go on without these",
      `  ${join(mixed, "album.jpg")}: is a folder`,
      `  ${join(mixed, "dangling.jpg")}: is a link to a file that is not there`,
      `  ${join(mixed, "empty.png")}: file is empty`,
    ]);
    expect(await readdir(root)).toEqual(["mixed"]);
  }
});

it("a run told to skip them starts without, says so, and stays told when it is resumed", async () => {
  const run = join(root, "skipping");
  const link = { listen: { host: "127.0.0.1", grpcPort: 0, httpPort: 0 }, logger: pino({ level: "silent" }) };
  for (const flags of [{ data: mixed, skipBad: true }, { resume: true }]) {
    const started = await startRun(await prepareRun({ run, ...flags }, new Date()), link);
    expect(started.coordinator.datasetNotes).toEqual([
      "album.jpg was left out: is a folder",
      "dangling.jpg was left out: is a link to a file that is not there",
      "empty.png was left out: file is empty",
    ]);
    await started.coordinator.stop("the test is over");
    await started.withdraw();
  }
});
