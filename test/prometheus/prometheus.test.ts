/** A real Prometheus watches a real cluster with the configuration, rules and dashboards that are shipped. */
import { spawnSync } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { hasMzsr, MzsrProcess } from "@mzsr/testing/mzsr-process";
import { hasNatsServer, startNatsServer, type TestNatsServer } from "@mzsr/testing/nats-server";
import { poll } from "@mzsr/testing/poll";
import { sharedFolder } from "@mzsr/testing/temporary-folder";
import { tinyRun } from "@mzsr/testing/tiny-run";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { dashboardQueries, inPrometheus } from "./dashboard-queries.js";
import { hasPrometheus, PrometheusServer } from "./prometheus-server.js";

const root = fileURLToPath(new URL("../../", import.meta.url));

const RULES = ["alerts", "recording"].map((name) => `deploy/prometheus/rules/${name}.rules.yml`);

test("watching one's own machine differs from watching a coordinator by its address alone", async () => {
  const [shipped, watch] = await Promise.all(
    ["prometheus.yml", "watch.yml"].map((name) => readFile(join(root, "deploy/prometheus", name), "utf8")),
  );
  const plain = (text: string) => text.replace(/^#.*\n/, "");
  expect(plain(watch!)).toBe(plain(shipped!).replace("coordinator:7701", "127.0.0.1:7701"));
});

test.skipIf(!hasPrometheus())("promtool accepts the configuration, and every rule does what its test says", () => {
  for (const args of [
    ["check", "config", "deploy/prometheus/prometheus.yml"],
    ["check", "config", "deploy/prometheus/watch.yml"],
    ["check", "rules", "--lint=all", "--lint-fatal", ...RULES],
    ["test", "rules", "test/prometheus/alerts.test.yml"],
  ]) {
    const { status, stdout, stderr } = spawnSync("promtool", args, { cwd: root, encoding: "utf8" });
    expect(status, `${stdout}${stderr}`).toBe(0);
  }
});

test("every alert has its paragraph in the runbook, and every paragraph its alert", async () => {
  const rules = await readFile(join(root, "deploy/prometheus/rules/alerts.rules.yml"), "utf8");
  const runbook = await readFile(join(root, "docs/runbook.md"), "utf8");
  const alerts = [...rules.matchAll(/- alert: (\w+)/g)].map(([, name]) => name);
  expect([...runbook.matchAll(/^## (\w+)$/gm)].map(([, name]) => name)).toEqual(alerts);
  for (const alert of alerts) expect(rules).toContain(`runbook: docs/runbook.md#${alert!.toLowerCase()}\n`);
});

/** Queries that can have no data here, and why. */
const WITHOUT_DATA: readonly { readonly query: RegExp; readonly why: string }[] = [
  { query: /mzsr_gpu_|mzsr_worker_batch_/, why: "there is no GPU" },
];

/** For what takes a second or two on a machine that has nothing else to do. */
const PATIENCE_SECONDS = 60;
const PREVIEW_SECONDS = 240;
/** A range that reaches back to before the first worker joined. */
const SINCE_START_SECONDS = 600;

const TOKEN = { MZSR_TOKEN: "a secret" };

/** As little of it as fills the panels. */
const VALIDATION = [
  "validation.every=50",
  "validation.side=64",
  "validation.kernels=[g2.0]",
  "validation.updates=[0, 10]",
];

describe.skipIf(!hasPrometheus() || !hasNatsServer() || !hasMzsr())(
  "a cluster under Prometheus",
  { timeout: 300_000 },
  () => {
    let nats: TestNatsServer;
    let coordinator: MzsrProcess;
    let grpc: string;
    let prometheus: PrometheusServer;
    const workers = new Map<string, MzsrProcess>();

    function startWorker(name: string, env: Record<string, string> = TOKEN): MzsrProcess {
      const where = ["--coordinator", grpc, "--nats", nats.address, "--cache-dir", join(folder, "cache")];
      const how = ["--name", name, "--slots", "1", "--backend", "simd", "--metrics-port", "0"];
      const worker = new MzsrProcess(["worker", ...where, ...how], { env });
      workers.set(name, worker);
      return worker;
    }

    /** The targets that are up, by the names of their workers; the coordinator has none. */
    async function targetsUp(): Promise<string[]> {
      const up = (await prometheus.targets()).filter(({ health }) => health === "up");
      return up.map(({ labels }) => labels.worker ?? labels.job!).sort();
    }

    const folder = sharedFolder();
    beforeAll(async () => {
      nats = await startNatsServer();
      const run = [...(await tinyRun(folder)), ...VALIDATION.flatMap((pair) => ["--set", pair])];
      const doors = ["--port", "0", "--http-port", "0", "--nats", nats.address];
      coordinator = new MzsrProcess(["coordinator", ...run, ...doors], { env: TOKEN });
      const ready = await coordinator.logged((line) => typeof line.grpc === "string");
      grpc = ready.grpc as string;
      prometheus = await PrometheusServer.start(join(folder, "prometheus"), new URL(ready.page as string).host, "fast");
      startWorker("a");
    });

    afterAll(async () => {
      await prometheus?.stop();
      await Promise.all([...workers.values()].map((worker) => worker.kill()));
      await coordinator?.kill();
      await nats?.stop();
    });

    async function targetsAre(...expected: string[]): Promise<void> {
      let seen: string[] = [];
      await poll(`the targets ${expected}`, PATIENCE_SECONDS, async () => {
        seen = await targetsUp();
        return seen.join() === expected.join() ? true : undefined;
      }).catch((thrown: unknown) => expect(seen, String(thrown)).toEqual(expected));
    }

    async function untilFiring(alert: string, fires: boolean): Promise<void> {
      await poll(`${alert} ${fires ? "fires" : "clears"}`, PATIENCE_SECONDS, async () =>
        (await prometheus.firing()).includes(alert) === fires ? true : undefined,
      );
    }

    test("the coordinator and its workers are found, and so is one that joins later", async () => {
      await targetsAre("a", "mzsr-coordinator");
      startWorker("b");
      await targetsAre("a", "b", "mzsr-coordinator");
    });

    test("a worker that hangs raises the alert, and clears it when it is back", async () => {
      await poll("worker b computes", PATIENCE_SECONDS, async () => {
        const [series] = await prometheus.range('mzsr_worker_tasks_total{worker="b",outcome="done"}', 5);
        return series;
      });
      expect(await prometheus.firing()).not.toContain("MzsrWorkerLost");
      workers.get("b")!.signal("SIGSTOP");
      await untilFiring("MzsrWorkerLost", true);
      workers.get("b")!.signal("SIGCONT");
      await untilFiring("MzsrWorkerLost", false);
    });

    test("NATS that goes away raises the alert, and clears it when it is back", async () => {
      await nats.stop();
      await untilFiring("MzsrNatsAway", true);
      nats = await startNatsServer(nats.port);
      await untilFiring("MzsrNatsAway", false);
    });

    test("every rule is evaluated, and every recording rule has data", async () => {
      const rules = await prometheus.rules();
      expect(rules.length).toBeGreaterThan(20);
      for (const { name, health, lastError } of rules) expect(health, `${name}: ${lastError}`).toBe("ok");
      for (const { name } of rules.filter(({ type }) => type === "recording")) {
        expect(await prometheus.range(name, 30), name).not.toEqual([]);
      }
    });

    test("every query of every dashboard has data, or is known to have none here", async () => {
      // A result that is refused and a session that breaks off are shown too: a stranger knocks.
      await startWorker("stranger", { MZSR_TOKEN: "a guess" }).exit();
      await poll("the refusal is scraped", PATIENCE_SECONDS, async () => {
        const [series] = await prometheus.range('increase(mzsr_refusals_total{reason="token"}[5s])', 5);
        return series;
      });
      for (const query of dashboardQueries()) {
        const known = WITHOUT_DATA.find((entry) => entry.query.test(query));
        const ask = () => prometheus.range(inPrometheus(query), SINCE_START_SECONDS);
        if (known !== undefined) expect(await ask(), `${query}: has data, though ${known.why}`).toEqual([]);
        // The first pictures, for one, may still be in the making: by a process that gives way to every other one.
        else await poll(query, PREVIEW_SECONDS, async () => ((await ask()).length > 0 ? true : undefined));
      }
    });
  },
);
