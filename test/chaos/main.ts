/** `npm run chaos -- --minutes 10 [--seed N] [--faults N] [--workers N] [--standby] [--json FILE]` */
import { spawnSync } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { runCampaign } from "./campaign.js";
import { campaignReport, reportText } from "./report.js";

const USAGE = "usage: npm run chaos -- [--minutes M] [--seed N] [--faults N] [--workers N] [--standby] [--json FILE]";
const FAULTS_PER_MINUTE = 20;
const DRILLS = 4;

async function main(): Promise<number> {
  const text = { type: "string" } as const;
  const { values } = parseArgs({
    options: { minutes: text, seed: text, faults: text, workers: text, json: text, standby: { type: "boolean" } },
  });
  const minutes = positive(values.minutes ?? "10");
  const nats = spawnSync("nats-server", ["--version"]).status === 0;
  if (!nats && values.standby === true) throw new Error("--standby needs nats-server, which is not on PATH");
  if (!nats) say("nats-server is not on PATH: the cluster runs without, and its faults are skipped");
  const interrupted = new AbortController();
  for (const name of ["SIGINT", "SIGTERM"] as const) {
    process.once(name, () => interrupted.abort(new Error(`stopped by ${name}`)));
  }
  const record = await runCampaign({
    seed: positive(values.seed ?? "1"),
    seconds: 60 * minutes,
    faults: Math.round(positive(values.faults ?? String(FAULTS_PER_MINUTE * minutes))),
    workers: positive(values.workers ?? "2"),
    drills: DRILLS,
    nats,
    standby: values.standby === true,
    signal: interrupted.signal,
    say,
  });
  const report = campaignReport(record);
  say(reportText(report));
  if (values.json !== undefined) await writeFile(values.json, `${JSON.stringify({ report, record }, undefined, 2)}\n`);
  return report.passed ? 0 : 1;
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

function positive(text: string): number {
  const value = Number(text);
  if (Number.isFinite(value) && value > 0) return value;
  process.stderr.write(`${JSON.stringify(text)} is not a positive number\n${USAGE}\n`);
  process.exit(2);
}

try {
  process.exitCode = await main();
} catch (thrown) {
  process.stderr.write(`${thrown instanceof Error ? thrown.message : thrown}\n`);
  process.exitCode = 1;
}
