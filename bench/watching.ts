// What being watched costs a coordinator, how soon a new worker is seen, and how soon the page stands.
//
// A coordinator with one worker runs the quick preset's meta-training. In turn, nobody watches it, and a real Prometheus
// with the shipped configuration scrapes it every 5 s while its page is open in a real Chromium. Then a second worker
// starts. At last, the page opens a run of 100,000 steps.
//
//   npm run build && node bench/run.mjs watching [--rounds 3] [--seconds 20] [--json]

import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { parseArgs } from "node:util";
import { hasChromium, launchChromium, openPage } from "@mzsr/testing/chromium";
import { MzsrProcess } from "@mzsr/testing/mzsr-process";
import { poll } from "@mzsr/testing/poll";
import { smallConfiguration } from "@mzsr/testing/small-run";
import type { Browser } from "playwright-core";
import { PrometheusServer } from "../test/prometheus/prometheus-server.js";
import { median } from "./peer.js";

const { values: options } = parseArgs({
  args: process.argv.slice(2),
  options: {
    rounds: { type: "string", default: "3" },
    seconds: { type: "string", default: "20" },
    json: { type: "boolean", default: false },
  },
});

/** Of Linux: what /proc counts processor time in. */
const TICKS_PER_SECOND = 100;
const LONG_RUN = 100_000;

interface Cluster {
  readonly coordinator: MzsrProcess;
  /** Of the coordinator's HTTP. */
  readonly page: string;
  readonly addWorker: (name: string) => void;
  readonly stop: () => Promise<void>;
}

async function startCluster(folder: string): Promise<Cluster> {
  const training = ["--preset", "quick", "--pretrain-steps", "0", "--steps", "100000", "--run", join(folder, "run")];
  // Checkpoints bring previews of photos, whose computation would count as the coordinator's.
  training.push("--set", "checkpoints.every=100000");
  const coordinator = new MzsrProcess(["coordinator", ...training, "--port", "0", "--http-port", "0"]);
  const ready = await coordinator.logged(({ grpc }) => typeof grpc === "string");
  const processes = [coordinator];
  const addWorker = (name: string) => {
    const where = ["--coordinator", ready.grpc as string, "--cache-dir", join(folder, "cache")];
    processes.unshift(new MzsrProcess(["worker", ...where, "--name", name, "--slots", "1", "--metrics-port", "0"]));
  };
  const stop = async () => {
    for (const each of processes) await each.kill();
  };
  return { coordinator, page: ready.page as string, addWorker, stop };
}

/** Processor seconds of a process so far. */
async function cpuSeconds({ pid }: MzsrProcess): Promise<number> {
  const fields = (await readFile(`/proc/${pid}/stat`, "utf8")).replace(/^.*\) /, "").split(" ");
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

/** Share of a core that the coordinator takes over the next seconds. */
async function shareOfACore({ coordinator }: Cluster): Promise<number> {
  const [cpu, start] = [await cpuSeconds(coordinator), performance.now()];
  await delay(1000 * Number(options.seconds));
  return ((await cpuSeconds(coordinator)) - cpu) / ((performance.now() - start) / 1000);
}

async function costOfWatching(cluster: Cluster, folder: string, browser: Browser) {
  const [alone, watched]: [number[], number[]] = [[], []];
  for (let round = 0; round < Number(options.rounds); round++) {
    alone.push(await shareOfACore(cluster));
    const prometheus = await PrometheusServer.start(join(folder, `p${round}`), new URL(cluster.page).host, "shipped");
    const { page, close } = await openPage(browser);
    await page.goto(cluster.page);
    watched.push(await shareOfACore(cluster));
    await close();
    await prometheus.stop();
  }
  const differences = watched.map((share, round) => share - alone[round]!);
  return { alone: median(alone), watched: median(watched), cost: median(differences) };
}

/** Seconds from a worker's start until Prometheus has scraped it and until the page shows it. */
async function timeUntilSeen(cluster: Cluster, folder: string, browser: Browser) {
  const prometheus = await PrometheusServer.start(join(folder, "late"), new URL(cluster.page).host, "shipped");
  const { page, close } = await openPage(browser);
  await page.goto(cluster.page);
  await page.locator('[data-worker="first"]').waitFor();
  const start = performance.now();
  const seconds = () => (performance.now() - start) / 1000;
  cluster.addWorker("late");
  const [inPrometheus, onPage] = await Promise.all([
    poll("prometheus scrapes the worker", 60, async () => {
      const targets = await prometheus.targets();
      return targets.some(({ labels, health }) => labels.worker === "late" && health === "up") ? seconds() : undefined;
    }),
    page.locator('[data-worker="late"]').waitFor().then(seconds),
  ]);
  await close();
  await prometheus.stop();
  return { inPrometheus, onPage };
}

async function longRun(folder: string): Promise<string> {
  const run = join(folder, "long");
  await mkdir(run);
  const lines = Array.from({ length: LONG_RUN }, (_, i) => {
    const loss = 0.05 / (1 + i / 2e4) + 0.01 * Math.sin(i);
    const losses = [loss * 1.4, loss * 1.2, loss * 1.1];
    return JSON.stringify({
      step: i + 1,
      stage: "metaTraining",
      stage_step: i + 1,
      support_losses: losses,
      query_losses: [...losses, loss],
      gradient_norm: 1,
      learning_rate: 1e-4,
      step_weights: [0.3, 0.3, 0.4],
      seconds: 0.5,
      tasks: 2,
      workers: 2,
      theta_sha256: "0".repeat(64),
      time: new Date(1.7e12 + i * 500).toISOString(),
    });
  });
  await writeFile(join(run, "metrics.jsonl"), `${lines.join("\n")}\n`);
  const configuration = smallConfiguration({ pretraining: { steps: 0 }, metaTraining: { steps: LONG_RUN } });
  await writeFile(join(run, "config.yaml"), JSON.stringify(configuration));
  return run;
}

/** Seconds until something is painted, and until the curves of a long run stand. */
async function timeToPaint(folder: string, browser: Browser) {
  const view = new MzsrProcess(["view", await longRun(folder)]);
  const address = await view.said(/(http:\/\/\S+)/);
  const [first, whole]: [number[], number[]] = [[], []];
  for (let round = 0; round < Number(options.rounds); round++) {
    const { page, close } = await openPage(browser);
    await page.goto(address);
    await page.locator(".chart canvas").first().waitFor();
    whole.push((await page.evaluate<number>("performance.now()")) / 1000);
    const paint = "performance.getEntriesByName('first-contentful-paint')[0].startTime";
    first.push((await page.evaluate<number>(paint)) / 1000);
    await close();
  }
  await view.kill();
  return { first: median(first), curves: median(whole) };
}

async function main(): Promise<void> {
  if (!hasChromium) throw new Error("needs a Chromium; set CHROMIUM to its path");
  const folder = await mkdtemp(join(tmpdir(), "mzsr-watching-"));
  const browser = await launchChromium();
  const cluster = await startCluster(folder);
  try {
    cluster.addWorker("first");
    await poll("the worker computes", 60, async () =>
      (await readFile(join(folder, "run", "metrics.jsonl"), "utf8")) === "" ? undefined : true,
    );
    const cost = await costOfWatching(cluster, folder, browser);
    const seen = await timeUntilSeen(cluster, folder, browser);
    await cluster.stop();
    const paint = await timeToPaint(folder, browser);
    if (options.json) console.log(JSON.stringify({ cost, seen, paint }, null, 2));
    else report(cost, seen, paint);
  } finally {
    await cluster.stop();
    await browser.close();
    await rm(folder, { recursive: true, force: true });
  }
}

function report(
  cost: Awaited<ReturnType<typeof costOfWatching>>,
  seen: Awaited<ReturnType<typeof timeUntilSeen>>,
  paint: Awaited<ReturnType<typeof timeToPaint>>,
): void {
  const percent = (share: number) => `${(100 * share).toFixed(2)} %`;
  const seconds = (value: number) => `${value.toFixed(2)} s`;
  console.log(`the coordinator takes ${percent(cost.alone)} of a core, watched ${percent(cost.watched)}:`);
  console.log(`  scraping and the page cost ${percent(cost.cost)}`);
  console.log(
    `a worker that starts is in Prometheus after ${seconds(seen.inPrometheus)}, on the page ${seconds(seen.onPage)}`,
  );
  console.log(
    `the page of ${LONG_RUN} steps: first paint ${seconds(paint.first)}, its curves ${seconds(paint.curves)}`,
  );
}

await main();
