/** What can be known of images and of Compose without a container engine. */
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { connectNats } from "@mzsr/shared";
import { hasMzsr, MzsrProcess } from "@mzsr/testing/mzsr-process";
import { hasNatsServer, startNatsServer } from "@mzsr/testing/nats-server";
import { temporaryFolder } from "@mzsr/testing/temporary-folder";
import { DCLinter } from "dclint";
import { validate } from "dockerfile-utils";
import { expect, onTestFinished, test } from "vitest";
import { parse } from "yaml";

const root = fileURLToPath(new URL("../../", import.meta.url));
const read = (path: string) => readFileSync(join(root, path), "utf8");
const dockerfile = read("deploy/docker/Dockerfile");
const TARGETS = ["coordinator", "worker", "worker-cuda", "worker-webgpu"];

interface Service {
  readonly image?: string;
  readonly build?: { readonly target: string };
  readonly command?: readonly string[];
  readonly volumes?: readonly string[];
  readonly depends_on?: readonly string[] | Readonly<Record<string, unknown>>;
  readonly environment?: Readonly<Record<string, string>>;
  readonly read_only?: boolean;
}

/** Its own types are not found by the compiler. */
interface LintResult {
  readonly messages: readonly { readonly type: "error" | "warning"; readonly line: number; readonly message: string }[];
}

const compose = parse(read("deploy/compose/compose.yaml"), { merge: true }) as {
  readonly services: Readonly<Record<string, Service>>;
  readonly volumes: Readonly<Record<string, unknown>>;
};

/** The instructions of a stage and of the stages it is made from. */
function instructionsOf(stage: string): string[] {
  const joined = dockerfile.replace(/^#.*$/gm, "").replace(/\\\n/g, " ");
  const [, base, body] = new RegExp(`^FROM (\\S+) AS ${stage}\\n([\\s\\S]*?)(?=^FROM |$(?![\\s\\S]))`, "m").exec(
    joined,
  )!;
  const own = body!.split("\n").filter((line) => line.trim() !== "");
  const inherited = new RegExp(`^FROM \\S+ AS ${base}$`, "m").test(joined);
  return inherited ? [...instructionsOf(base!), ...own] : own;
}

/** The last instruction of a kind, as JSON where it is. */
function lastOf(stage: string, kind: string): string {
  return instructionsOf(stage)
    .findLast((line) => line.startsWith(`${kind} `))!
    .slice(kind.length + 1);
}

/** The arguments of every `mzsr` that is started somewhere, by where. */
function commands(): [where: string, args: readonly string[]][] {
  const services = Object.entries(compose.services).filter(([, { build }]) => build !== undefined);
  return [
    ...TARGETS.map((target): [string, string[]] => [`Dockerfile ${target}`, JSON.parse(lastOf(target, "CMD"))]),
    ...services.map(([name, { command }]): [string, readonly string[]] => [`compose ${name}`, command!]),
  ];
}

test("the image for GPUs has Dawn and the Vulkan loader, and nothing there sets how many tasks a GPU takes", () => {
  expect(instructionsOf("worker-webgpu").join("\n")).toMatch(/install .*\blibvulkan1\b/);
  expect(instructionsOf("production-webgpu").join("\n")).toMatch(/npm install .*\bwebgpu@\d/);
  const onGpus = commands().filter(([, args]) => args.includes("webgpu") || args.includes("--backend=webgpu"));
  expect(onGpus.map(([where]) => where).sort()).toEqual([
    "Dockerfile worker-webgpu",
    "compose worker-gpu",
    "compose worker-webgpu",
  ]);
  for (const [where, args] of onGpus) expect(args.join(" "), where).not.toContain("--slots");
});

test("the linter finds nothing in the Dockerfile", () => {
  const found = validate(dockerfile).map(({ message, range }) => `line ${range.start.line + 1}: ${message}`);
  expect(found).toEqual([]);
});

test("every file that the images are made of is there, and every package is among them", () => {
  const copied = [...dockerfile.matchAll(/^COPY (?!--from)(.*) \S+$/gm)].flatMap(([, sources]) => sources!.split(" "));
  for (const path of copied) expect(existsSync(join(root, path)), path).toBe(true);
  for (const name of readdirSync(join(root, "packages"))) expect(copied).toContain(`packages/${name}/package.json`);
});

test("every image runs as nobody in particular, tells its health and gets its signals", () => {
  for (const target of TARGETS) {
    expect(lastOf(target, "USER"), target).toBe("1000:1000");
    expect(lastOf(target, "HEALTHCHECK"), target).toContain("/app/health.mjs");
    // A shell between Docker and node would keep the signals to itself.
    expect(JSON.parse(lastOf(target, "ENTRYPOINT")), target).toEqual(["node", "/app/packages/cli/dist/bin.js"]);
  }
});

test("the images' Node is one that runs @tensorflow/tfjs-node-gpu and us", () => {
  const node = Number(/^ARG NODE_VERSION=(\d+)$/m.exec(dockerfile)![1]);
  expect(node).toBeLessThanOrEqual(22);
  expect(node).toBeGreaterThanOrEqual(20);
});

test.skipIf(!hasMzsr())("mzsr knows every option that the images and Compose give it", () => {
  const bin = join(root, "packages/cli/dist/bin.js");
  const help = new Map<string, string>();
  for (const [where, [command, ...options]] of commands()) {
    if (!help.has(command!))
      help.set(command!, spawnSync(process.execPath, [bin, command!, "--help"]).stdout.toString());
    for (const option of options.filter((text) => text.startsWith("--"))) {
      expect(help.get(command!), `${where}: ${option}`).toContain(`${option.split("=")[0]} `);
    }
  }
});

test.skipIf(!hasMzsr())("Compose has the coordinator write for TensorBoard by MZSR_TENSORBOARD alone", async () => {
  const [, name, standard] = /^\$\{(\w+):-(.*)\}$/.exec(compose.services.coordinator!.environment!.MZSR_TENSORBOARD!)!;
  expect([name, standard]).toEqual(["MZSR_TENSORBOARD", "0"]);
  const folder = await temporaryFolder();
  for (const [value, writes] of [
    ["0", false],
    ["1", true],
  ] as const) {
    const run = join(folder, value);
    const args = ["coordinator", "--preset", "quick", "--run", run, "--resume", "--port", "0", "--http-port", "0"];
    const coordinator = new MzsrProcess(args, { env: { MZSR_TENSORBOARD: value } });
    onTestFinished(() => coordinator.kill());
    await coordinator.logged(({ msg }) => String(msg).startsWith("ready"));
    expect(existsSync(join(run, "tensorboard")), value).toBe(writes);
  }
});

test("the image's coordinator stays when its run is finished, and so does Compose's unless MZSR_STAY is 0", () => {
  expect(JSON.parse(lastOf("coordinator", "CMD"))).toContain("--stay");
  expect(compose.services.coordinator!.environment!.MZSR_STAY).toMatch(/^.\{MZSR_STAY:-1\}$/);
});

test.skipIf(!hasMzsr())("mzsr says what MZSR_TENSORBOARD may be, and makes no run folder", async () => {
  const folder = await temporaryFolder();
  const coordinator = new MzsrProcess(["coordinator", "--preset", "quick", "--run", join(folder, "run")], {
    env: { MZSR_TENSORBOARD: "perhaps" },
  });
  onTestFinished(() => coordinator.kill());
  expect(await coordinator.exit()).toBe(2);
  expect(existsSync(join(folder, "run"))).toBe(false);
});

test("the Compose files are what their specification asks for", () => {
  // An image that is built has a name, too; and an address from the environment is an address.
  const rules = { "no-build-and-image": 0, "no-unbound-port-interfaces": 0 } as const;
  const linter = new DCLinter({ rules, quiet: true, debug: false, exclude: [] });
  const files = ["compose.yaml", "watch.yaml"].map((name) => join(root, "deploy/compose", name));
  const results: readonly LintResult[] = linter.lintFiles(files, false);
  expect(results).toHaveLength(files.length);
  // Warnings are about taste.
  const errors = results.flatMap(({ messages }) => messages).filter(({ type }) => type === "error");
  expect(errors.map(({ line, message }) => `line ${line}: ${message}`)).toEqual([]);
});

test("every service and every volume that Compose is told of is there", () => {
  for (const [name, { depends_on: needed = [], volumes = [] }] of Object.entries(compose.services)) {
    for (const other of Array.isArray(needed) ? needed : Object.keys(needed)) {
      expect(Object.keys(compose.services), `${name} depends on ${other}`).toContain(other);
    }
    for (const volume of volumes.map((mount) => mount.split(":")[0]!).filter((source) => /^\w+$/.test(source))) {
      expect(Object.keys(compose.volumes), `${name} mounts ${volume}`).toContain(volume);
    }
  }
});

test("Compose builds every target that there is, mounts files that are there, and leaves no root file system writable", () => {
  const services = Object.values(compose.services);
  expect([...new Set(services.flatMap(({ build }) => build?.target ?? []))].sort()).toEqual(TARGETS);
  for (const mount of services.flatMap(({ volumes = [] }) => volumes).filter((volume) => volume.startsWith("."))) {
    expect(existsSync(join(root, "deploy/compose", mount.split(":")[0]!)), mount).toBe(true);
  }
  for (const [name, { read_only }] of Object.entries(compose.services)) expect(read_only, name).toBe(true);
});

test("what watches alone is Compose's own Prometheus and Grafana, on this machine's network and for it alone", () => {
  const watch = parse(read("deploy/compose/watch.yaml"), { merge: true }) as typeof compose;
  expect(Object.keys(watch.services)).toEqual(["prometheus", "grafana"]);
  for (const [name, service] of Object.entries(watch.services)) {
    const { image, volumes, read_only } = compose.services[name]!;
    expect(service).toMatchObject({ image, volumes, read_only, network_mode: "host" });
  }
  expect(watch.services.prometheus!.command).toContain("--web.listen-address=127.0.0.1:9090");
  expect(watch.services.grafana!.environment).toMatchObject({
    GF_SERVER_HTTP_ADDR: "127.0.0.1",
    PROMETHEUS_URL: "http://127.0.0.1:9090",
  });
});

test.skipIf(!hasNatsServer())(
  "nats-server starts with the flags that Compose gives it, whatever the password",
  async () => {
    const folder = await temporaryFolder();
    const password = `7 $"'#:{}`;
    const flags = compose.services.nats!.command!.map((flag) =>
      flag
        .replace(/\$\{MZSR_NATS_PASSWORD.*\}/, password)
        .replace("=/data", `=${folder}`)
        .replace("=8222", "=-1"),
    );
    const server = await startNatsServer(-1, flags);
    onTestFinished(() => server.stop());
    const link = connectNats({ servers: [server.address], user: "mzsr", password }, "test", () => undefined);
    onTestFinished(() => link.close());
    await link.whenConnected(10_000);
  },
);
