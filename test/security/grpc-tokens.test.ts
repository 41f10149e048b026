/** Join tokens at the workers' port: what lets in, what is refused and why, and that none of it is written down. */
import { readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { signJoinToken } from "@mzsr/coordinator";
import { freePort } from "@mzsr/testing/free-port";
import { hasMzsr } from "@mzsr/testing/mzsr-process";
import { mzsr } from "@mzsr/testing/run-command";
import { helloOf, ScriptedWorker } from "@mzsr/testing/scripted-worker";
import { smallConfiguration, smallImages } from "@mzsr/testing/small-run";
import { temporaryFolder } from "@mzsr/testing/temporary-folder";
import { expect, onTestFinished, test, vi } from "vitest";
import { coordinatorProcess, statusWhere } from "../cluster/cluster-processes.js";

const SECRET = "0123456789abcdef0123456789abcdef";
const HOUR = 3600;

test.skipIf(!hasMzsr())(
  "a join token lets a worker in until it is revoked; others are refused, counted and not written down",
  async () => {
    const folder = await temporaryFolder();
    const secretFile = join(folder, "secret");
    await writeFile(secretFile, SECRET);
    await smallImages(join(folder, "images"));
    const [port, httpPort] = [await freePort(), await freePort()];
    const coordinator = await coordinatorProcess({
      folder,
      configuration: smallConfiguration({ metaTraining: { steps: 1_000_000 }, data: join(folder, "images") }),
      port,
      httpPort,
      more: ["--token-file", secretFile, "--log-level", "trace"],
    });
    await statusWhere(httpPort, () => true);
    const token = async (...words: string[]) => {
      const { code, out, notes } = await mzsr(["token", ...words, "--token-file", secretFile], { cwd: folder });
      expect(code, notes).toBe(0);
      return out.trim();
    };
    await token("create", "--run", "run", "--ttl", "1h", "-o", "worker.token");
    expect((await stat(join(folder, "worker.token"))).mode & 0o077).toBe(0);
    const good = (await readFile(join(folder, "worker.token"), "utf8")).trim();
    const connect = (shown: string) => {
      const worker = ScriptedWorker.at(`127.0.0.1:${port}`, shown);
      onTestFinished(() => worker.client.close());
      worker.hello(helloOf("worker"));
      return worker;
    };
    const worker = connect(good);
    worker.compute();
    await worker.next("welcome");
    await statusWhere(httpPort, ({ step }) => step > 3);

    const now = Math.floor(Date.now() / 1000);
    const claim = { id: "0123456789ab", run: "run", expires: now + HOUR };
    const refused: [string, RegExp][] = [
      ["", /no token is shown/],
      [SECRET.slice(1), /not this cluster's/],
      [signJoinToken("another secret of another cluster", claim), /not this cluster's/],
      [`${good.slice(0, -2)}AA`, /not this cluster's/],
      [signJoinToken(SECRET, { ...claim, run: "another" }), /is for the run "another"/],
      [signJoinToken(SECRET, { ...claim, expires: now - 1 }), /expired at/],
    ];
    for (const [shown, reason] of refused) {
      const stranger = connect(shown);
      await stranger.closed();
      expect(stranger.ended).toMatch(/^16 UNAUTHENTICATED/);
      expect(stranger.ended).toMatch(reason);
    }

    const [listed] = JSON.parse(await token("list", "--json"));
    expect(listed).toMatchObject({ run: "run", state: "good" });
    await token("revoke", listed.made);
    expect(await worker.next("refusal")).toMatchObject({
      reason: `the join token ${listed.made} has been revoked`,
      retry: false,
    });
    await worker.closed();
    const again = connect(good);
    await again.closed();
    expect(again.ended).toContain("has been revoked");

    const metrics = await (await fetch(`http://127.0.0.1:${httpPort}/metrics`)).text();
    const counts = ["token", "expired", "revoked"].map((reason) =>
      Number(new RegExp(`^mzsr_refusals_total\\{.*reason="${reason}".*\\} (\\d+)$`, "m").exec(metrics)?.[1]),
    );
    expect(counts).toEqual([5, 1, 2]);
    await vi.waitUntil(() => coordinator.said.includes("has been revoked"), 60_000);
    await coordinator.terminate();
    const written = await Promise.all(
      (await readdir(join(folder, "run"), { recursive: true, withFileTypes: true }))
        .filter((entry) => entry.isFile())
        .map((entry) => readFile(join(entry.parentPath, entry.name), "latin1")),
    );
    const list = await readFile(`${secretFile}.list`, "utf8");
    for (const text of [coordinator.said, metrics, list, ...written]) {
      for (const secret of [SECRET, SECRET.slice(1), good, good.split(".")[2]!]) expect(text).not.toContain(secret);
    }
  },
);
