/** `mzsr sweep`: runs one after the other, each as `mzsr up` trains it, and a table of how they ended. */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { InputError } from "@mzsr/mzsr";
import type { RunOptions } from "../cluster/prepare-run.js";
import { readSteps } from "../cluster/read-steps.js";
import { runUp } from "../cluster/run-up.js";
import { exists } from "../path-kind.js";
import { significant } from "../progress/numbers.js";
import type { Terminal } from "../progress/terminal.js";
import { combinations, type SweepRun } from "./combinations.js";

export interface SweepOptions extends RunOptions {
  readonly vary: readonly string[];
  readonly workers: number;
  readonly json?: boolean;
}

/** How a run of a sweep ended. */
export interface SweepLine {
  readonly run: string;
  /** Mean losses on query patches over the last tenth of meta-training; null in a run without. */
  readonly lossBefore: number | null;
  readonly lossAfter: number | null;
}

/** @throws InputError, RunError of a run; those before it stay, and the same command goes on */
export async function runSweep(folder: string, options: SweepOptions, terminal: Terminal): Promise<void> {
  const { vary, json, run, resume, fresh, ...training } = options;
  if (run !== undefined || resume === true || fresh === true) {
    const expected = "the folder of the sweep alone, which goes on where it stopped";
    throw new InputError("a sweep names its runs itself and resumes them by itself", {
      where: "--run, --resume, --fresh",
      expected,
    });
  }
  const runs = combinations(vary);
  await mkdir(folder, { recursive: true });
  const lines: SweepLine[] = [];
  for (const [i, each] of runs.entries()) {
    const at = join(folder, each.name);
    terminal.note(`Run ${i + 1} of ${runs.length}: ${each.name}`);
    if (!(await trained(at, each, training, terminal))) {
      terminal.note("Stopped; the same command goes on.");
      return;
    }
    lines.push({ run: each.name, ...(await lossesOf(at)) });
  }
  lines.sort((a, b) => (a.lossAfter ?? Infinity) - (b.lossAfter ?? Infinity));
  if (json === true) return terminal.json(lines);
  const width = Math.max(...lines.map((line) => line.run.length));
  for (const { run: name, lossBefore, lossAfter } of lines) {
    terminal.line(
      `${name.padEnd(width)}  loss ${significant(lossBefore ?? undefined)} → ${significant(lossAfter ?? undefined)}`,
    );
  }
  const best = lines.slice(0, MOST_DRAWN).map(({ run: name }) => join(folder, name));
  terminal.note(
    `${lines.length > MOST_DRAWN ? "The best" : "Their curves"} on one page: npx mzsr view ${best.join(" ")}`,
  );
}

/** Runs that the page draws at a time. */
const MOST_DRAWN = 8;

/** Trains a run to its end, if it is not there already. False when it was stopped. */
async function trained(
  folder: string,
  { set }: SweepRun,
  options: RunOptions & { readonly workers: number },
  terminal: Terminal,
): Promise<boolean> {
  const model = join(folder, "model.safetensors");
  if (await exists(model)) return true;
  const resume = await exists(join(folder, "metrics.jsonl"));
  const all = [...(options.set ?? []), ...set];
  await runUp({ ...options, set: all, run: folder, resume, httpPort: 0, kernel: "g2.0" }, terminal);
  return exists(model);
}

async function lossesOf(folder: string): Promise<Omit<SweepLine, "run">> {
  const steps = (await readSteps(folder)).filter(({ stage }) => stage === "metaTraining");
  const last = steps.slice(-Math.ceil(steps.length / 10));
  const mean = (values: readonly number[]) =>
    values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0) / values.length;
  return {
    lossBefore: mean(last.map(({ queryLosses }) => queryLosses[0]!)),
    lossAfter: mean(last.map(({ queryLosses }) => queryLosses.at(-1)!)),
  };
}
