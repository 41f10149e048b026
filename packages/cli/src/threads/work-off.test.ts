import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { temporaryFolder } from "@mzsr/testing/temporary-folder";
import { expect, it } from "vitest";
import { workOff } from "./work-off.js";

it("starts threads whose processes have CUDA's convolutions in full precision, unless the user says otherwise", async () => {
  const script = join(await temporaryFolder(), "tells.mjs");
  // What a program that is started there has is what a library of NVIDIA's reads.
  await writeFile(
    script,
    `import { execFileSync } from "node:child_process";
     import { parentPort } from "node:worker_threads";
     const program = "console.log(process.env.NVIDIA_TF32_OVERRIDE)";
     parentPort.on("message", () => {
       parentPort.postMessage({ kind: "done", report: execFileSync(process.execPath, ["-e", program], { encoding: "utf8" }).trim() });
     });`,
  );
  const told = async () => {
    const reports: string[] = [];
    const failed = (_: unknown, thrown: unknown) => reports.push(String(thrown));
    const done = (_: unknown, report: string) => reports.push(report);
    await workOff([1], 1, { url: pathToFileURL(script), workerData: undefined }, { done, failed });
    return reports;
  };
  delete process.env.NVIDIA_TF32_OVERRIDE;
  expect(await told()).toEqual(["0"]);
  process.env.NVIDIA_TF32_OVERRIDE = "1";
  expect(await told()).toEqual(["1"]);
  delete process.env.NVIDIA_TF32_OVERRIDE;
});
