/** A real Prometheus with the configuration that is shipped, on a free port; on request at many times the speed. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { cp, mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { freePort } from "@mzsr/testing/free-port";
import { poll } from "@mzsr/testing/poll";

const SHIPPED = fileURLToPath(new URL("../../deploy/prometheus/", import.meta.url));

export interface Series {
  readonly metric: Readonly<Record<string, string>>;
  readonly values: readonly (readonly [seconds: number, value: string])[];
}

export interface Target {
  readonly labels: Readonly<Record<string, string>>;
  readonly health: string;
}

export interface Rule {
  readonly name: string;
  readonly type: "recording" | "alerting";
  readonly health: string;
  readonly lastError?: string;
}

export interface Alert {
  readonly labels: Readonly<Record<string, string>>;
  readonly state: "pending" | "firing";
}

export type Pace = "shipped" | "fast";

/** Whether prometheus is on PATH; tests that need it skip themselves otherwise. */
export function hasPrometheus(): boolean {
  const found = spawnSync("prometheus", ["--version"]).status === 0;
  if (!found) console.warn("prometheus is not on PATH: the tests that need it are skipped");
  return found;
}

export class PrometheusServer {
  readonly #child: ChildProcess;
  readonly #url: string;

  private constructor(child: ChildProcess, url: string) {
    this.#child = child;
    this.#url = url;
  }

  /**
   * @param folder for its data and its configuration
   * @param coordinator host:port of the coordinator's HTTP
   * @param pace `shipped`, or `fast`: scraped ten times as often, and the rules' minutes are seconds
   */
  static async start(folder: string, coordinator: string, pace: Pace): Promise<PrometheusServer> {
    await writeConfiguration(folder, coordinator, pace);
    const address = `127.0.0.1:${await freePort()}`;
    const flags = [
      `--config.file=${join(folder, "prometheus.yml")}`,
      `--storage.tsdb.path=${join(folder, "data")}`,
      `--web.listen-address=${address}`,
      ...(pace === "fast" ? ["--query.lookback-delta=5s"] : []),
      "--log.level=warn",
    ];
    const child = spawn("prometheus", flags, { stdio: ["ignore", "ignore", "inherit"] });
    const server = new PrometheusServer(child, `http://${address}`);
    await poll("prometheus starts", 20, async () => {
      const ready = await fetch(`http://${address}/-/ready`).catch(() => undefined);
      return ready?.ok === true ? true : undefined;
    });
    return server;
  }

  async targets(): Promise<Target[]> {
    const { activeTargets } = await this.#ask<{ activeTargets: Target[] }>("targets", { state: "active" });
    return activeTargets;
  }

  async rules(): Promise<Rule[]> {
    const { groups } = await this.#ask<{ groups: { rules: Rule[] }[] }>("rules", {});
    return groups.flatMap(({ rules }) => rules);
  }

  /** The alerts that fire, by their names. */
  async firing(): Promise<string[]> {
    const { alerts } = await this.#ask<{ alerts: Alert[] }>("alerts", {});
    return alerts.filter(({ state }) => state === "firing").map(({ labels }) => labels.alertname!);
  }

  /** What a graph over the last `seconds` shows. */
  async range(expr: string, seconds: number): Promise<Series[]> {
    const end = Date.now() / 1000;
    const times = { start: String(end - seconds), end: String(end), step: "1" };
    return (await this.#ask<{ result: Series[] }>("query_range", { query: expr, ...times })).result;
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = once(this.#child, "exit");
    this.#child.kill("SIGKILL");
    await ended;
  }

  async #ask<T>(what: string, parameters: Record<string, string>): Promise<T> {
    const response = await fetch(`${this.#url}/api/v1/${what}?${new URLSearchParams(parameters)}`);
    const { status, data, error } = (await response.json()) as { status: string; data: T; error?: string };
    if (status !== "success") throw new Error(`${what} ${JSON.stringify(parameters)}: ${error}`);
    return data;
  }
}

/** The shipped files with the coordinator's address. */
async function writeConfiguration(folder: string, coordinator: string, pace: Pace): Promise<void> {
  const configuration = await readFile(join(SHIPPED, "prometheus.yml"), "utf8");
  await mkdir(folder, { recursive: true });
  await cp(join(SHIPPED, "rules"), join(folder, "rules"), { recursive: true });
  const addressed = configuration.replace("coordinator:7701", coordinator);
  const paced = pace === "fast" ? addressed.replace(/: \ds$/gm, ": 500ms") : addressed;
  await writeFile(join(folder, "prometheus.yml"), paced);
  if (pace === "fast") await hurryRules(join(folder, "rules"));
}

async function hurryRules(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    const path = join(folder, name);
    await writeFile(path, faster(await readFile(path, "utf8")));
  }
}

/** Windows and waits of a rule file: minutes become seconds, hours minutes. */
function faster(rules: string): string {
  const unit = (found: string) => ({ h: "m", m: "s" })[found]!;
  return rules.replace(
    /(\[|for: |offset )(\d+)([hm])\b/g,
    (_, before: string, count: string, found: string) => `${before}${count}${unit(found)}`,
  );
}
