/** The units of deploy/systemd, as far as systemd says of them without running them. */
import { spawnSync } from "node:child_process";
import { copyFileSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { hasMzsr } from "@mzsr/testing/mzsr-process";
import { BIN } from "@mzsr/testing/run-command";
import { temporaryFolder } from "@mzsr/testing/temporary-folder";
import { expect, test } from "vitest";

const FOLDER = fileURLToPath(new URL("../../deploy/systemd/", import.meta.url));
const UNITS = ["mzsr-coordinator@.service", "mzsr-worker.service"];
/** Of ten times the score: what systemd calls OK ends at 49, and the units of few distributions come below 20. */
const EXPOSURE = 20;

function hasSystemd(): boolean {
  const found = spawnSync("systemd-analyze", ["--version"]).status === 0;
  if (!found) console.warn("systemd-analyze is not on PATH: the tests of systemd's units are skipped");
  return found;
}

function analyze(...args: readonly string[]): { readonly code: number | null; readonly said: string } {
  const { status, stdout, stderr } = spawnSync("systemd-analyze", args, { encoding: "utf8" });
  return { code: status, said: stdout + stderr };
}

/** Units and drop-ins as they are installed, an instance of each, with a Node that is here. Returns the units' paths. */
async function installed(change = (text: string) => text): Promise<string[]> {
  const folder = await temporaryFolder();
  for (const name of readdirSync(FOLDER)) copyFileSync(join(FOLDER, name), join(folder, name));
  return UNITS.map((name) => {
    const path = join(folder, name.replace("@", "@first"));
    writeFileSync(path, change(readFileSync(join(FOLDER, name), "utf8")).replaceAll("/usr/bin/node", process.execPath));
    return path;
  });
}

test.skipIf(!hasSystemd())("systemd finds nothing wrong with the units, and would with a slip in one", async () => {
  for (const unit of await installed())
    expect(analyze("verify", "--man=no", unit), unit).toEqual({ code: 0, said: "" });
  for (const unit of await installed((text) => text.replace("RestartSec=", "RestartSecs=")))
    expect(analyze("verify", "--man=no", unit).said).toMatch(/RestartSecs/);
});

test.skipIf(!hasSystemd())("systemd calls them well shut in", async () => {
  for (const unit of await installed()) {
    const { code, said } = analyze("security", "--offline=yes", `--threshold=${EXPOSURE}`, "--no-pager", unit);
    expect(code, said).toBe(0);
  }
});

test("a service that ended for bad input is not started again, one that failed is, and a stop waits as long as they need", () => {
  for (const name of UNITS) {
    const text = readFileSync(join(FOLDER, name), "utf8");
    expect(text).toContain("\nRestart=on-failure\nRestartPreventExitStatus=2\n");
    expect(Number(/^TimeoutStopSec=(\d+)$/m.exec(text)![1])).toBeGreaterThanOrEqual(60);
  }
});

test.skipIf(!hasMzsr())("mzsr knows the options that the units and the examples of their settings give it", () => {
  for (const [unit, settings, command] of [
    [UNITS[0]!, "coordinator-first.env", "coordinator"],
    [UNITS[1]!, "worker.env", "worker"],
  ] as const) {
    const [, line] = new RegExp(`^ExecStart=.*mzsr\\.js ${command} (.*)$`, "m").exec(
      readFileSync(join(FOLDER, unit), "utf8"),
    )!;
    const [, more] = /^OPTIONS=(.*)$/m.exec(readFileSync(join(FOLDER, settings), "utf8"))!;
    const help = spawnSync(process.execPath, [BIN, command, "--help"], { encoding: "utf8" }).stdout;
    const options = `${line} ${more}`.match(/--[\w-]+/g)!;
    expect(options.length).toBeGreaterThan(3);
    for (const option of options) expect(help, unit).toContain(`${option} `);
  }
});
