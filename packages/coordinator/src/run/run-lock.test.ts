import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdir, readFile, utimes, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { InputError } from "@mzsr/mzsr";
import { temporaryFolder } from "@mzsr/testing/temporary-folder";
import { expect, test } from "vitest";
import { RunLock } from "./run-lock.js";

const notLost = (reason: string) => {
  throw new Error(reason);
};

async function deadProcess(): Promise<number> {
  const child = spawn("true");
  await once(child, "exit");
  return child.pid!;
}

function lockFile(folder: string, holder: { pid: number; host: string; born: string }): Promise<void> {
  return writeFile(join(folder, "lock"), JSON.stringify({ id: "somebody", ...holder }));
}

test("a second coordinator is refused while the first one works, and told which process that is", async () => {
  const folder = await temporaryFolder();
  const lock = await RunLock.acquire(folder, notLost);
  const second = RunLock.acquire(folder, notLost);
  await expect(second).rejects.toThrow(InputError);
  await expect(second).rejects.toThrow(`process ${process.pid} on ${hostname()}`);
  await lock.release();
  await (await RunLock.acquire(folder, notLost)).release();
});

test("the lock of a dead process is taken over", async () => {
  const folder = await temporaryFolder();
  await lockFile(folder, { pid: await deadProcess(), host: hostname(), born: "12345" });
  const lock = await RunLock.acquire(folder, notLost);
  expect(await lock.held()).toBe(true);
  await lock.release();
});

test("a process that has got the pid of a dead holder does not keep the lock alive", async () => {
  const folder = await temporaryFolder();
  await lockFile(folder, { pid: process.pid, host: hostname(), born: "1" });
  await (await RunLock.acquire(folder, notLost)).release();
});

test("a holder on another machine keeps the lock until it has been silent for a minute", async () => {
  const folder = await temporaryFolder();
  await lockFile(folder, { pid: 1, host: "elsewhere", born: "1" });
  await expect(RunLock.acquire(folder, notLost)).rejects.toThrow("process 1 on elsewhere");
  const longAgo = new Date(Date.now() - 61_000);
  await utimes(join(folder, "lock"), longAgo, longAgo);
  await (await RunLock.acquire(folder, notLost)).release();
});

test("of many that ask at once for a dead holder's lock, one gets it", async () => {
  const folder = await temporaryFolder();
  await lockFile(folder, { pid: await deadProcess(), host: hostname(), born: "12345" });
  const asked = await Promise.allSettled(Array.from({ length: 20 }, () => RunLock.acquire(folder, notLost)));
  const locks = asked.flatMap((result) => (result.status === "fulfilled" ? [result.value] : []));
  expect(locks).toHaveLength(1);
  await locks[0]!.release();
});

test("a holder that lost its lock leaves the new holder's alone", async () => {
  const folder = await temporaryFolder();
  const lock = await RunLock.acquire(folder, notLost);
  await lockFile(folder, { pid: 1, host: "elsewhere", born: "1" });
  expect(await lock.held()).toBe(false);
  await lock.release();
  expect(await readFile(join(folder, "lock"), "utf8")).toContain("elsewhere");
});

test("a holder that lost its lock hears of it when it wants to write", async () => {
  const folder = await temporaryFolder();
  const reasons: string[] = [];
  const lock = await RunLock.acquire(folder, (reason) => reasons.push(reason));
  await lock.confirm();
  await lockFile(folder, { pid: 1, host: "elsewhere", born: "1" });
  await expect(lock.confirm()).rejects.toThrow("another coordinator took the lock");
  expect(reasons).toEqual(["another coordinator took the lock of the run folder"]);
});

test("a lock file that is no lock is named, with what to do", async () => {
  const folder = await temporaryFolder();
  await writeFile(join(folder, "lock"), "?");
  await expect(RunLock.acquire(folder, notLost)).rejects.toThrow(/lock: cannot be read .*delete the file/);
});

test("the lock goes with its process, however that ends by itself", async () => {
  const folder = await temporaryFolder();
  const built = new URL("../../dist/run/run-lock.js", import.meta.url);
  for (const end of ["process.exit(1)", "throw new Error()"]) {
    const script = `import { RunLock } from ${JSON.stringify(built.href)};
      await RunLock.acquire(${JSON.stringify(folder)}, () => undefined);
      console.log("locked");
      setImmediate(() => { ${end} });`;
    const child = spawn(process.execPath, ["--input-type=module", "-e", script], {
      stdio: ["ignore", "pipe", "ignore"],
    });
    const closed = once(child, "close");
    expect(String((await once(child.stdout, "data"))[0])).toBe("locked\n");
    expect((await closed)[0], end).toBe(1);
    expect(await readdir(folder), end).toEqual([]);
  }
});
