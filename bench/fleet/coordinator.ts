/** The coordinator that a fleet works for: the shipped program on one core, read from outside. */
import { mkdir, readFile } from "node:fs/promises";
import { join, resolve } from "node:path";

import { createImage, Draws, writePng } from "@mzsr/mzsr";
import { MzsrProcess } from "@mzsr/testing/mzsr-process";
import { poll } from "@mzsr/testing/poll";
import { mzsr } from "@mzsr/testing/run-command";
import { pinnedTo } from "../peer.js";
import type { Target } from "./pretend-fleet.js";

const WATCH = new URL("../sides/loop-watch.mjs", import.meta.url);
/** Of Linux: what /proc counts processor time in. */
const TICKS_PER_SECOND = 100;
const PINO_WARN = 40;
const IMAGE_SIDE = 192;

export interface CoordinatorChoice {
  /** Holds the images and the run. */
  readonly folder: string;
  readonly core: string;
  readonly depth: number;
  readonly width: number;
  readonly tasks: number;
  /** Encrypted, with certificates of both sides. */
  readonly mtls?: boolean | undefined;
  /** Where to write a profile of the steps that are counted. */
  readonly profile?: string | undefined;
}

export interface Reading {
  readonly steps: number;
  readonly cpuSeconds: number;
  readonly atMs: number;
}

export class FleetCoordinator {
  /** host:port for workers. */
  readonly address: string;
  readonly tls: Target["tls"];
  readonly #process: MzsrProcess;
  readonly #page: string;
  readonly #folder: string;

  private constructor(
    program: MzsrProcess,
    ready: Readonly<Record<string, unknown>>,
    tls: Target["tls"],
    folder: string,
  ) {
    this.#process = program;
    this.tls = tls;
    this.address = ready.grpc as string;
    this.#page = ready.page as string;
    this.#folder = folder;
  }

  static async start(choice: CoordinatorChoice): Promise<FleetCoordinator> {
    const { folder, core, depth, width, tasks, mtls = false, profile } = choice;
    await smallImages(join(folder, "images"));
    const file = (name: string) => join(folder, "certs", name);
    const tls = mtls ? { ca: file("ca.pem"), cert: file("worker.pem"), key: file("worker.key") } : undefined;
    if (mtls) await certificates(join(folder, "certs"));
    const shown = ["--tls-cert", file("127.0.0.1.pem"), "--tls-key", file("127.0.0.1.key"), "--tls-ca", file("ca.pem")];
    const pairs = [
      `model.depth=${depth}`,
      `model.width=${width}`,
      `metaTraining.tasks=${tasks}`,
      "cluster.auditShare=0",
      // Checkpoints and the previews that come with them are work of another kind.
      "checkpoints.every=1000000",
      // Both sides may be kept waiting by whatever else the machine does: nobody is given up for it.
      "cluster.patience=100",
    ];
    const run = ["--preset", "paper", "--pretrain-steps", "0", "--steps", "1000000", "--run", join(folder, "run")];
    const args = [...run, "--data", join(folder, "images"), "--port", "0", "--http-port", "0", ...(mtls ? shown : [])];
    const program = new MzsrProcess(["coordinator", ...args, ...pairs.flatMap((pair) => ["--set", pair])], {
      under: pinnedTo(core),
      env: {
        NODE_OPTIONS: `--import=${WATCH.href}`,
        MZSR_BENCH_LOOP_FILE: join(folder, "loop.json"),
        ...(profile !== undefined && { MZSR_BENCH_PROFILE: resolve(profile) }),
      },
    });
    process.once("exit", () => program.signal("SIGKILL"));
    const ready = await program.logged(({ grpc }) => typeof grpc === "string");
    return new FleetCoordinator(program, ready, tls, folder);
  }

  get pid(): number {
    return this.#process.pid;
  }

  /** Steps done and the processor time of all threads so far. */
  async read(): Promise<Reading> {
    const lines = await readFile(join(this.#folder, "run", "metrics.jsonl"));
    const steps = lines.reduce((count, byte) => (byte === 0x0a ? count + 1 : count), 0);
    return { steps, cpuSeconds: await this.#cpuSeconds(), atMs: performance.now() };
  }

  /** Resident memory now and at its highest, in bytes. */
  async memory(): Promise<{ readonly nowBytes: number; readonly peakBytes: number }> {
    const status = await readFile(`/proc/${this.pid}/status`, "utf8");
    const bytesOf = (field: string) => 1024 * Number(new RegExp(`^${field}:\\s+(\\d+) kB`, "m").exec(status)?.[1]);
    return { nowBytes: bytesOf("VmRSS"), peakBytes: bytesOf("VmHWM") };
  }

  /** Begins to watch the event loop. */
  watch(): void {
    this.#process.signal("SIGUSR2");
  }

  /** The 99th percentile of the event loop's delays since `watch`, in ms. */
  async watched(): Promise<{ readonly p99Ms: number }> {
    this.#process.signal("SIGUSR2");
    const file = join(this.#folder, "loop.json");
    const text = await poll("the event loop's statistics", 60, () => readFile(file, "utf8").catch(() => undefined));
    return JSON.parse(text) as { p99Ms: number };
  }

  /** Bytes of gradients and parameters a step, as the coordinator counts them. */
  async bytesPerStep(): Promise<number> {
    const text = await (await fetch(new URL("metrics", this.#page))).text();
    const sum = (name: string) =>
      [...text.matchAll(new RegExp(`^${name}(?:{.*})? (\\S+)$`, "gm"))].reduce(
        (all, [, value]) => all + Number(value),
        0,
      );
    return (sum("mzsr_gradient_bytes_total") + sum("mzsr_parameter_bytes_total")) / sum("mzsr_meta_steps_total");
  }

  /** What it warned of first, if anything. */
  get warning(): string | undefined {
    const line = this.#process.log.find(({ level }) => level === "warn" || Number(level) >= PINO_WARN);
    return line && `${line.worker ?? "the coordinator"}: ${line.msg}`;
  }

  /** Ends it at once. */
  async end(): Promise<void> {
    await this.#process.kill();
  }

  async #cpuSeconds(): Promise<number> {
    const fields = (await readFile(`/proc/${this.pid}/stat`, "utf8")).replace(/^.*\) /s, "").split(" ");
    return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
  }
}

/** An authority, and what it signed for the coordinator and for all workers. */
async function certificates(dir: string): Promise<void> {
  for (const words of [["init"], ["server", "127.0.0.1"], ["client", "worker"]]) {
    const { code, notes } = await mzsr(["certs", ...words, "--dir", dir]);
    if (code !== 0) throw new Error(notes);
  }
}

/** Two images of noise, large enough for the paper's patches. */
async function smallImages(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const i of [0, 1]) {
    const image = createImage(IMAGE_SIDE, IMAGE_SIDE, 3);
    const draws = new Draws(7, [i, 0, 0]);
    image.data.forEach((_, at) => {
      image.data[at] = draws.uniform(0, 1);
    });
    await writePng(join(folder, `noise-${i}.png`), image);
  }
}
