/** A real SLURM of one node on this machine, on free ports, with a munge of its own: its controller, its node's daemon, its commands. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { delimiter, join } from "node:path";
import { freePort } from "@mzsr/testing/free-port";
import { poll } from "@mzsr/testing/poll";

/** Where Debian puts daemons. */
const PATH = [process.env.PATH, "/usr/sbin", "/sbin"].join(delimiter);
const START_SECONDS = 60;
/** Devices that stand for GPUs: SLURM gives them out, and nobody computes on them. */
const GPUS = ["/dev/null", "/dev/zero"];

/** Whether SLURM and munge are here, and this is root, whom a node's daemon wants; tests skip themselves otherwise. */
export function hasSlurm(): boolean {
  const missing = ["munged", "slurmctld", "slurmd", "sbatch"].filter(
    (name) => spawnSync("sh", ["-c", `command -v ${name}`], { env: { PATH } }).status !== 0,
  );
  const why = process.getuid?.() === 0 ? missing.map((name) => `${name} is not on PATH`) : ["this is not root"];
  if (why.length > 0) console.warn(`${why.join(", ")}: the test of SLURM is skipped`);
  return why.length === 0;
}

export class SlurmCluster {
  readonly #daemons: ChildProcess[] = [];
  readonly #env: NodeJS.ProcessEnv;

  private constructor(readonly folder: string) {
    this.#env = { ...process.env, PATH, SLURM_CONF: join(folder, "slurm.conf") };
  }

  /**
   * @param folder for everything that it writes
   * @param cpus of its node, whatever the machine has
   */
  static async start(folder: string, cpus: number): Promise<SlurmCluster> {
    const cluster = new SlurmCluster(folder);
    try {
      await cluster.#start(cpus);
      return cluster;
    } catch (thrown) {
      await cluster.stop();
      throw thrown;
    }
  }

  /** Runs one of its commands. Returns what it printed. */
  command(name: string, args: readonly string[], options: { cwd?: string; env?: NodeJS.ProcessEnv } = {}): string {
    const { status, stdout, stderr } = spawnSync(name, args, {
      cwd: options.cwd,
      env: { ...this.#env, ...options.env },
      encoding: "utf8",
    });
    if (status !== 0) throw new Error(`${name} ${args.join(" ")}: ${stderr.trim()}`);
    return stdout.trim();
  }

  /** What `scontrol show job` says of a job, by key. */
  job(id: string): Readonly<Record<string, string>> {
    const said = this.command("scontrol", ["show", "job", "--oneliner", id]);
    return Object.fromEntries([...said.matchAll(/(\S+?)=(\S*)/g)].map(([, key, value]) => [key, value]));
  }

  async stop(): Promise<void> {
    if (this.#daemons.length > 1) spawnSync("scancel", ["--user=root", "--full"], { env: this.#env });
    for (const daemon of this.#daemons.toReversed()) {
      if (daemon.exitCode !== null || daemon.signalCode !== null) continue;
      const ended = once(daemon, "exit");
      daemon.kill("SIGTERM");
      const late = setTimeout(() => daemon.kill("SIGKILL"), 10_000);
      await ended;
      clearTimeout(late);
    }
  }

  async #start(cpus: number): Promise<void> {
    const { folder } = this;
    for (const name of ["state", "spool", "munge"]) mkdirSync(join(folder, name), { recursive: true });
    writeFileSync(join(folder, "munge/key"), crypto.getRandomValues(new Uint8Array(128)), { mode: 0o600 });
    writeFileSync(join(folder, "slurm.conf"), await this.#configuration(cpus));
    writeFileSync(join(folder, "gres.conf"), GPUS.map((file) => `Name=gpu File=${file}\n`).join(""));
    writeFileSync(join(folder, "cgroup.conf"), "CgroupPlugin=cgroup/v1\n");
    // What is a path to a secret must not be anybody's to write.
    for (const path of [folder, join(folder, "munge")]) chmodSync(path, 0o755);
    const munge = ["key-file=key", "socket=socket", "pid-file=pid", "log-file=log", "seed-file=seed"].map((flag) =>
      flag.replace("=", `=${folder}/munge/`),
    );
    this.#daemon("munged", ["--foreground", "--force", ...munge.map((flag) => `--${flag}`)]);
    await poll("munge answers", START_SECONDS, async () =>
      spawnSync("munge", ["-n", "-S", `${folder}/munge/socket`], { env: this.#env }).status === 0 ? true : undefined,
    );
    this.#daemon("slurmctld", ["-D", "-f", join(folder, "slurm.conf")]);
    this.#daemon("slurmd", ["-D", "-f", join(folder, "slurm.conf"), "-N", "here"]);
    await poll("the node is idle", START_SECONDS, async () => {
      const { stdout } = spawnSync("sinfo", ["--noheader", "--format=%T"], { env: this.#env, encoding: "utf8" });
      return stdout.trim() === "idle" ? true : undefined;
    }).catch((thrown: unknown) => {
      throw new Error(`${String(thrown)}\n${this.#said.join("")}`);
    });
  }

  readonly #said: string[] = [];

  #daemon(name: string, args: readonly string[]): void {
    const daemon = spawn(name, args, { env: this.#env, stdio: ["ignore", "pipe", "pipe"] });
    for (const stream of [daemon.stdout, daemon.stderr])
      stream.on("data", (chunk: Buffer) => this.#said.push(`${name}: ${chunk}`));
    this.#daemons.push(daemon);
  }

  /** No cgroups, no accounting: a container has neither. */
  async #configuration(cpus: number): Promise<string> {
    const [controller, node] = [await freePort(), await freePort()];
    const { folder } = this;
    return `ClusterName=mzsr
SlurmctldHost=${hostname()}(127.0.0.1)
SlurmctldPort=${controller}
SlurmdPort=${node}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket=${folder}/munge/socket
StateSaveLocation=${folder}/state
SlurmdSpoolDir=${folder}/spool
SlurmctldPidFile=${folder}/slurmctld.pid
SlurmdPidFile=${folder}/slurmd.pid
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
GresTypes=gpu
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SlurmdParameters=config_overrides
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
MpiDefault=none
SchedulerParameters=sched_interval=1,batch_sched_delay=0,sched_min_interval=0
ReturnToService=2
KillWait=30
NodeName=here NodeHostname=${hostname()} NodeAddr=127.0.0.1 CPUs=${cpus} Gres=gpu:${GPUS.length} RealMemory=8192 State=UNKNOWN
PartitionName=all Nodes=here Default=YES MaxTime=INFINITE State=UP
`;
  }
}
