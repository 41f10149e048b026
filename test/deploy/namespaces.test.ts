/** By hand on several hosts, as docs/deployment.md tells it: one starts, one joins, one is cut off and comes back. */
import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { ClusterStatus } from "@mzsr/shared";
import { hasMzsr, type LogLine, MzsrProcess } from "@mzsr/testing/mzsr-process";
import { temporaryFolder } from "@mzsr/testing/temporary-folder";
import { tinyRun } from "@mzsr/testing/tiny-run";
import { afterEach, describe, expect, test } from "vitest";
import { canMakeHosts, Hosts } from "./hosts.js";

/** What a coordinator tells those who watch, as read on another host. */
class StatusFeed {
  readonly #reader: ChildProcess;
  readonly #waiting = new Set<(status: ClusterStatus) => void>();

  /** @param on what to put before a command for it to run there */
  constructor(on: readonly string[], url: string) {
    const program = `for await (const chunk of (await fetch(${JSON.stringify(url)})).body) process.stdout.write(chunk)`;
    const [command, ...rest] = [...on, process.execPath, "--input-type=module", "-e", program];
    this.#reader = spawn(command, rest, { stdio: ["ignore", "pipe", "ignore"] });
    let event = "";
    createInterface({ input: this.#reader.stdout! }).on("line", (line) => {
      if (line.startsWith("event: ")) event = line.slice("event: ".length);
      if (!line.startsWith("data: ") || event !== "status") return;
      const status = JSON.parse(line.slice("data: ".length)) as ClusterStatus;
      for (const look of this.#waiting) look(status);
    });
  }

  /** The next status that `holds`. */
  until(what: string, holds: (status: ClusterStatus) => boolean): Promise<ClusterStatus> {
    return new Promise((resolve, reject) => {
      const late = setTimeout(
        () => reject(new Error(`${what}: not within ${PATIENCE_SECONDS} s`)),
        1000 * PATIENCE_SECONDS,
      );
      const look = (status: ClusterStatus) => {
        if (!holds(status)) return;
        clearTimeout(late);
        this.#waiting.delete(look);
        resolve(status);
      };
      this.#waiting.add(look);
    });
  }

  close(): void {
    this.#reader.kill("SIGKILL");
  }
}

const PATIENCE_SECONDS = 60;

describe.skipIf(!hasMzsr() || !canMakeHosts())("on several hosts", () => {
  const processes: MzsrProcess[] = [];
  let hosts: Hosts | undefined;
  let feed: StatusFeed | undefined;

  afterEach(async () => {
    feed?.close();
    await Promise.all(processes.map((process) => process.kill()));
    hosts?.remove();
  });

  function start(host: string, args: readonly string[]): MzsrProcess {
    const process = new MzsrProcess(args, { under: hosts!.on(host) });
    processes.push(process);
    return process;
  }

  test("a worker joins a run that goes on, is cut off, and is let back; the run never stands still", {
    timeout: 180_000,
  }, async () => {
    const folder = await temporaryFolder();
    hosts = new Hosts(["head", "a", "b"]);
    const head = hosts.address("head");
    const coordinator = start("head", ["coordinator", ...(await tinyRun(folder)), "--host", "0.0.0.0", "--insecure"]);
    await coordinator.logged((line) => typeof line.grpc === "string");

    const startWorker = (name: string) =>
      start(name, [
        ...["worker", "--coordinator", `${head}:7700`, "--name", name, "--slots", "1", "--backend", "simd"],
        ...[
          "--cache-dir",
          join(folder!, `cache-${name}`),
          "--metrics-host",
          hosts!.address(name),
          "--metrics-port",
          "7702",
        ],
      ]);

    const seen = new StatusFeed(hosts.on("a"), `http://${head}:7701/api/stream`);
    feed = seen;
    const until = (what: string, holds: (now: ClusterStatus) => boolean) => seen.until(what, holds);
    const worker = ({ workers }: ClusterStatus, name: string) => workers.find((it) => it.worker === name);

    startWorker("a");
    const alone = await until("a works", (now) => now.step > 5);
    const asked = start("b", ["status", "--url", `http://${head}:7701`, "--json"]);
    expect(await asked.exit(), asked.lines.join("\n")).toBe(0);
    expect(JSON.parse(asked.lines.join("\n"))).toMatchObject({ run: "tiny", phase: "training" });
    expect(worker(alone, "a")).toMatchObject({ state: "active", metricsAddress: `${hosts.address("a")}:7702` });

    startWorker("b");
    const both = await until("b works too", (now) => (worker(now, "b")?.tasksDone ?? 0) > 5);
    expect(both.step).toBeGreaterThan(alone.step);

    hosts.cable("b", false);
    const without = await until("b is lost", (now) => worker(now, "b")?.state === "lost");
    expect(worker(without, "b")!.reason).not.toBe("");
    const on = await until("a goes on alone", (now) => now.step > without.step + 5);
    expect(worker(on, "b")!.tasksDone).toBe(worker(without, "b")!.tasksDone);

    hosts.cable("b", true);
    const tasksBefore = worker(on, "b")!.tasksDone;
    const again = await until("b is back", (now) => (worker(now, "b")?.tasksDone ?? 0) > tasksBefore + 5);
    expect(worker(again, "b")!.state).toBe("active");

    coordinator.signal("SIGTERM");
    expect(await coordinator.exit()).toBe(0);
    const told = coordinator.lines.map((line) => JSON.parse(line) as LogLine);
    expect(told.filter(({ kind, worker }) => kind === "lost" && worker === "a")).toEqual([]);
    expect(told.filter(({ kind, worker }) => kind === "join" && worker === "b")).toHaveLength(2);
  });
});
