/**
 * The Helm chart, as far as it can be checked without a cluster: its values by their schema; what it renders by the
 * types and schemas of Kubernetes and its operators, by how its parts refer to each other, and by mzsr's own options and configuration.
 */
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { loadConfiguration } from "@mzsr/shared";
import { deep } from "@mzsr/testing/deep";
import { hasMzsr } from "@mzsr/testing/mzsr-process";
import { BIN } from "@mzsr/testing/run-command";
import { temporaryFolder } from "@mzsr/testing/temporary-folder";
import { Ajv } from "ajv";
import { describe, expect, test } from "vitest";
import { parse, stringify } from "yaml";
import { CHART, hasHelm, helm, type Manifest, type Rendered, render, type Values } from "./chart.js";
import { schemaErrors, typeErrors } from "./kubernetes.js";

const EXAMPLES = fileURLToPath(new URL("../../deploy/helm/examples/", import.meta.url));

const defaults = parse(readFileSync(join(CHART, "values.yaml"), "utf8")) as Values;
const spotGpu = parse(readFileSync(join(EXAMPLES, "spot-gpu.yaml"), "utf8")) as Values;
const matches = new Ajv({ allErrors: true, strictTypes: false }).compile(
  JSON.parse(readFileSync(join(CHART, "values.schema.json"), "utf8")),
);

const CASES: Readonly<Record<string, Values>> = {
  defaults: {},
  spotGpu,
  quick: {
    run: { name: "first", preset: "quick", config: { seed: 7 }, tensorboard: true },
    coordinator: { replicas: 0 },
  },
  tls: { tls: { enabled: true, secret: "server-tls" } },
  mutualTls: { tls: { enabled: true, secret: "server-tls", workerSecret: "worker-tls" }, metrics: { scrape: "none" } },
  externalNats: {
    nats: {
      enabled: false,
      external: { servers: "nats://n1:4222, tls://n2:5222", secret: "nats-auth", files: { creds: "nats.creds" } },
    },
    auth: { existingSecret: "mine" },
  },
  standby: {
    coordinator: { standby: { enabled: true, natsReplicas: 3 } },
    nats: { enabled: false, external: { servers: "nats://n1:4222,nats://n2:4222,nats://n3:4222" } },
    tls: { enabled: true, secret: "server-tls" },
    metrics: { scrape: "serviceMonitor" },
  },
  job: { coordinator: { atEnd: "exit", replicas: 0, storage: { className: "fast" } }, run: { tensorboard: true } },
  noNats: {
    auth: { http: true },
    nats: { enabled: false },
    networkPolicy: { enabled: false },
    worker: { slots: 3, maxUnavailable: 1 },
  },
  webgpuOutside: {
    worker: { flavour: "webgpu", runtimeClassName: "gpu", nodeSelector: { gpu: "amd" } },
    coordinator: { podDisruptionBudget: false, service: { type: "LoadBalancer", annotations: { internal: "true" } } },
    networkPolicy: { workersFromOutside: true, monitoringFrom: [{ namespaceSelector: { matchLabels: { a: "b" } } }] },
    image: { registry: "registry.example.org/lab/", tag: "1.2.3", pullSecrets: [{ name: "pull" }] },
  },
};

test("the schema accepts the defaults and the examples, and says what else is wrong", () => {
  expect(matches(defaults), JSON.stringify(matches.errors)).toBe(true);
  for (const [name, values] of Object.entries(CASES)) {
    expect(matches(values), `${name}: ${JSON.stringify(matches.errors)}`).toBe(true);
  }
  for (const wrong of [
    { wroker: {} },
    { worker: { replicas: -1 } },
    { worker: { flavour: "rocm" } },
    { coordinator: { replicas: 2 } },
    { coordinator: { standby: { enabled: true } }, nats: { enabled: true } },
    { coordinator: { standby: { enabled: true } }, nats: { enabled: false, external: { servers: "" } } },
    { coordinator: { standby: { natsReplicas: 2 } } },
    { coordinator: { atEnd: "sometimes" } },
    {
      coordinator: { standby: { enabled: true }, atEnd: "exit" },
      nats: { enabled: false, external: { servers: "nats://n1:4222" } },
    },
    { tls: { enabled: true } },
    { run: { name: "../elsewhere" } },
    { run: { tensorboard: "yes" } },
    { metrics: { scrape: "sometimes" } },
    { nats: { external: { files: { password: "p" } } } },
  ]) {
    expect(matches(wrong), JSON.stringify(wrong)).toBe(false);
  }
});

interface Named {
  readonly name: string;
}

interface Container extends Named {
  readonly args: readonly string[];
  readonly env?: readonly Named[];
  readonly ports: readonly Named[];
  readonly volumeMounts: readonly Named[];
  readonly securityContext: unknown;
}

interface PodTemplate {
  readonly metadata: { readonly labels: Readonly<Record<string, string>> };
  readonly spec: { readonly containers: readonly Container[]; readonly volumes: readonly Named[] };
}

const WORKLOADS = ["Deployment", "StatefulSet", "Job"];

function podsOf(manifests: readonly Manifest[]): PodTemplate[] {
  return manifests.filter(({ kind }) => WORKLOADS.includes(kind)).map(({ spec }) => spec!.template as PodTemplate);
}

function workerOf(manifests: readonly Manifest[]): Manifest {
  return manifests.find(({ kind, metadata }) => kind === "Deployment" && metadata.name === "demo-worker")!;
}

function selects(selector: Readonly<Record<string, string>>, pod: PodTemplate): boolean {
  return Object.entries(selector).every(([label, value]) => pod.metadata.labels[label] === value);
}

describe.skipIf(!hasHelm())("Helm", { timeout: 180_000 }, () => {
  test("finds nothing wrong with the chart, by itself and with the example's values", () => {
    for (const values of [[], ["--values", join(EXAMPLES, "spot-gpu.yaml")]]) {
      const { code, said } = helm("lint", "--strict", CHART, ...values);
      expect(code, said).toBe(0);
    }
  });

  test("refuses by the schema what is misspelt", () => {
    const { code, said } = helm("template", CHART, "--set", "wroker.replicas=3");
    expect([code, said]).toEqual([1, expect.stringContaining("wroker")]);
  });

  test("packs a chart that is whole: what its links lead to is in it, and it renders the same", async () => {
    const folder = await temporaryFolder();
    expect(helm("package", CHART, "--destination", folder).code).toBe(0);
    const [archive] = readdirSync(folder);
    expect(archive).toBe("mzsr-cluster-0.1.0.tgz");
    const render = (chart: string) => helm("template", chart, "--values", join(EXAMPLES, "spot-gpu.yaml")).said;
    const withoutSecrets = (text: string) => text.replace(/^.*(found symbolic link|token:|nats-password:).*$\n/gm, "");
    expect(withoutSecrets(render(join(folder, archive!)))).toBe(withoutSecrets(render(CHART)));
  });
});

describe.skipIf(!hasHelm())("what the chart renders", { timeout: 180_000 }, () => {
  const releases: Readonly<Record<string, Rendered>> = hasHelm() ? render(CASES) : {};
  const rendered = Object.fromEntries(Object.entries(releases).map(([name, { manifests }]) => [name, manifests]));

  const all = Object.values(rendered).flat();

  test("is of the types of Kubernetes and its operators", () => {
    expect(new Set(all.map(({ kind }) => kind))).toContain("ScaledObject");
    expect(typeErrors(all)).toBe("");
  });

  test("matches the schemas that Kubernetes and its operators publish", async () => {
    for (const manifest of all) {
      expect(await schemaErrors(manifest), `${manifest.kind} ${manifest.metadata.name}`).toBeUndefined();
    }
  });

  /** What the chart renders, with some of its spec changed. */
  const changed = (kind: string, spec: Values): Manifest => {
    const whole = rendered.spotGpu!.find((manifest) => manifest.kind === kind)!;
    return { ...whole, spec: { ...whole.spec, ...spec } };
  };

  test("would not be of those types with a slip in a key", () => {
    const wrong = [
      changed("Service", { selectors: {} }),
      changed("ScaledObject", { cooldownPeriodd: 3 }),
      changed("PodMonitor", { podMetricsEndpoints: [{ port: "metrics", intervall: "10s" }] }),
    ];
    expect(typeErrors(wrong).match(/error TS/g)).toHaveLength(wrong.length);
  });

  test.each([
    ["Service", { type: "Balancer" }],
    ["ScaledObject", { minReplicaCount: "0" }],
    ["ServiceMonitor", { endpoints: [{ port: "http", interval: "10 seconds" }] }],
    ["PrometheusRule", { groups: [{ name: "g", rules: [{ alert: "a" }] }] }],
  ])("would not match those schemas with a wrong value in a %s", async (kind, spec) => {
    expect(await schemaErrors(changed(kind, spec))).toMatch(/must/);
  });

  test.each(Object.keys(CASES))("fits together: %s", (name) => {
    const manifests = rendered[name]!;
    const pods = podsOf(manifests);
    const ids = manifests.map(({ kind, metadata }) => `${kind}/${metadata.name}`);
    expect(new Set(ids).size, "two of one name").toBe(ids.length);
    for (const { kind, metadata, spec } of manifests.filter(({ kind }) => kind === "Service")) {
      const selected = pods.filter((pod) => selects(spec!.selector as Record<string, string>, pod));
      expect(selected, `${kind} ${metadata.name}`).toHaveLength(1);
    }
    for (const labels of manifests.flatMap(({ spec }) => deep(spec, "matchLabels")) as Record<string, string>[]) {
      if (!("app.kubernetes.io/instance" in labels)) continue;
      const services = manifests.filter(
        ({ kind, metadata }) => kind === "Service" && selects(labels, { metadata } as never),
      );
      expect(
        pods.filter((pod) => selects(labels, pod)).length + services.length,
        JSON.stringify(labels),
      ).toBeGreaterThan(0);
    }
    for (const { spec } of pods) {
      const volumes = [...spec.volumes.map((volume) => volume.name), "data"];
      for (const { volumeMounts, securityContext } of spec.containers) {
        for (const mount of volumeMounts) expect(volumes).toContain(mount.name);
        expect(securityContext).toMatchObject({ readOnlyRootFilesystem: true, allowPrivilegeEscalation: false });
      }
    }
    const own = manifests.filter(({ kind }) => kind === "Secret").map(({ metadata }) => metadata.name);
    for (const { name: secret } of manifests.flatMap(({ spec }) => deep(spec, "secretKeyRef")) as Named[]) {
      expect([...own, "mine", "nats-auth"]).toContain(secret);
    }
  });

  test("asks for GPUs where they are asked for, and gives the run's backend with the image", () => {
    const worker = podsOf(rendered.spotGpu!)
      .flatMap(({ spec }) => spec.containers)
      .find((it) => it.name === "worker")!;
    expect(worker).toMatchObject({
      image: "mzsr/worker-webgpu:0.1.0",
      resources: { limits: { "nvidia.com/gpu": "1" } },
    });
    expect(worker.args).toContain("--backend=webgpu");
    expect(workerOf(rendered.spotGpu!).spec).not.toHaveProperty("replicas");
  });

  test("lets webgpu take as many tasks as the GPU's memory holds, and others as many as are said, else one", () => {
    const slotsOf = (name: string) =>
      podsOf(rendered[name]!)
        .flatMap(({ spec }) => spec.containers)
        .find((it) => it.name === "worker")!
        .args.filter((arg) => arg.startsWith("--slots"));
    expect(slotsOf("spotGpu")).toEqual([]);
    expect(slotsOf("webgpuOutside")).toEqual([]);
    expect(slotsOf("quick")).toEqual(["--slots=1"]);
    expect(slotsOf("noNats")).toEqual(["--slots=3"]);
    const scaled = rendered.spotGpu!.find(({ kind }) => kind === "ScaledObject")!.spec!;
    expect(deep(scaled, "threshold")).toEqual(["16"]);
  });

  test("has workers find whichever of two coordinators leads, and people and Prometheus that one alone", () => {
    const { standby } = rendered;
    const group = standby!.find(({ kind }) => kind === "StatefulSet")!.spec!;
    const service = standby!.find(({ kind, metadata }) => kind === "Service" && metadata.name === group.serviceName)!;
    expect(group).toMatchObject({ replicas: 2, podManagementPolicy: "Parallel", updateStrategy: { type: "OnDelete" } });
    expect(service.spec).toMatchObject({ clusterIP: "None", publishNotReadyAddresses: true });
    const [coordinator, worker] = ["coordinator", "worker"].map((name) =>
      podsOf(standby!)
        .flatMap(({ spec }) => spec.containers)
        .find((container) => container.name === name),
    );
    expect(coordinator!.args).toContain(`--advertise=$(POD_NAME).${group.serviceName}`);
    expect(coordinator!.args).not.toContain("--resume");
    expect(worker!.args).toContain("--run=demo");
    expect(worker!.args.filter((arg) => arg.startsWith("--coordinator="))).toEqual([]);
    // One service alone has the port that monitors look for, and its addresses are those that are ready.
    const served = standby!.filter(({ kind, spec }) => kind === "Service" && deep(spec, "name").includes("http"));
    expect(served.map(({ metadata }) => metadata.name)).toEqual(["demo-coordinator"]);
    expect(served[0]!.spec).not.toHaveProperty("publishNotReadyAddresses");
    const monitor = standby!.find(({ kind }) => kind === "ServiceMonitor")!;
    expect(deep(monitor.spec, "action")).toEqual(["keep"]);
    // It would count the one that is ready, and never let it go.
    expect(standby!.some(({ kind, metadata: { name } }) => /Budget/.test(kind) && /coordinator/.test(name))).toBe(
      false,
    );
  });

  test("has the coordinator stay when the run is finished, or be a Job that ends then", () => {
    for (const [name, manifests] of Object.entries(rendered)) {
      const coordinators = podsOf(manifests).filter(({ spec }) => spec.containers[0]!.name === "coordinator");
      expect(coordinators, name).toHaveLength(1);
      expect(coordinators[0]!.spec.containers[0]!.args.includes("--stay"), name).toBe(name !== "job");
      expect(
        manifests.filter(({ kind }) => kind === "Job").map(({ metadata }) => metadata.name),
        name,
      ).toEqual(name === "job" ? ["demo-coordinator"] : []);
    }
    // Its claim is the one that the StatefulSet of the same release would make, and is not deleted with the Job.
    const claim = rendered.job!.find(({ kind }) => kind === "PersistentVolumeClaim")!;
    expect(claim.metadata).toMatchObject({
      name: "data-demo-coordinator-0",
      annotations: { "helm.sh/resource-policy": "keep" },
    });
    const group = rendered.defaults!.find(({ kind }) => kind === "StatefulSet")!;
    expect(deep(group.spec, "volumeClaimTemplates")).toMatchObject([[{ metadata: { name: "data" } }]]);
    expect(deep(rendered.job, "persistentVolumeClaim")).toEqual([{ claimName: "data-demo-coordinator-0" }]);
  });

  test("says in its notes nothing that is not so", () => {
    for (const [name, { notes, manifests }] of Object.entries(releases)) {
      const ids = manifests.map(({ kind, metadata }) => `${kind}/${metadata.name}`);
      const kinds = { svc: "Service", deploy: "Deployment", job: "Job" };
      const named = [...notes.matchAll(/ (svc|deploy|job)[/ ]([\w-]+)/g)];
      expect(named.length, notes).toBeGreaterThan(0);
      for (const [, kind, it] of named) expect(ids, notes).toContain(`${kinds[kind as keyof typeof kinds]}/${it}`);
      for (const [command] of notes.matchAll(/^ {2}kubectl .*$/gm)) expect(command).toContain("kubectl -n lab ");
      const autoscaled = ids.some((id) => id.startsWith("ScaledObject/"));
      expect(/ scale deploy/.test(notes), name).toBe(!autoscaled);
      expect(/fetch-model/.test(notes), name).toBe(name !== "job");
      const secret = /^ {2}export MZSR_HTTP_TOKEN=.* get secret ([\w-]+) .*http-token/m.exec(notes)?.[1];
      const shown = manifests.flatMap(({ spec }) => deep(spec, "secretKeyRef")) as { name: string; key: string }[];
      expect(secret, name).toBe(shown.find(({ key }) => key === "http-token")?.name);
      expect(notes, name).toContain(`Run ${name === "quick" ? "first" : "demo"} `);
      expect(notes, name).not.toMatch(/ {2}$|\n\n\n|<no value>|%!/m);
    }
  });

  test("has the coordinator write for TensorBoard where that is wanted, and nowhere else", () => {
    for (const [name, manifests] of Object.entries(rendered)) {
      const wanted = (CASES[name]!.run as { tensorboard?: boolean } | undefined)?.tensorboard === true;
      const writers = podsOf(manifests)
        .flatMap(({ spec }) => spec.containers)
        .filter(({ args }) => args.includes("--tensorboard"));
      expect(
        writers.map((container) => container.name),
        name,
      ).toEqual(wanted ? ["coordinator"] : []);
    }
  });

  test("keeps the coordinator's key from workers that have no certificate of their own", () => {
    expect(deep(workerOf(rendered.tls!).spec, "secret")).toContainEqual(
      expect.objectContaining({ secretName: "server-tls", items: [{ key: "ca.crt", path: "ca.crt" }] }),
    );
  });

  test("carries every alert and every dashboard where they are wanted", () => {
    const rules = rendered.spotGpu!.find(({ kind }) => kind === "PrometheusRule")!;
    expect(deep(rules.spec, "alert")).toContain("MzsrNoProgress");
    expect(deep(rules.spec, "record")).toContain("run:mzsr_steps_done:sum");
    const dashboards = rendered.spotGpu!.find(({ metadata }) => metadata.name === "demo-dashboards")!;
    expect(Object.keys(dashboards.data!).sort()).toEqual(["cluster.json", "fleet.json", "gpu.json", "training.json"]);
    expect(JSON.parse(dashboards.data!["gpu.json"]!)).toMatchObject({ uid: "mzsr-gpu" });
  });

  test("gives a configuration that mzsr accepts", async () => {
    for (const [name, manifests] of Object.entries(rendered)) {
      const text = manifests.find(({ metadata }) => metadata.name === "demo-config")!.data!["config.yaml"]!;
      const folder = await temporaryFolder();
      const file = join(folder, "config.yaml");
      writeFileSync(file, text);
      const preset = (CASES[name]!.run as { preset?: string } | undefined)?.preset ?? "paper";
      const loaded = await loadConfiguration({ preset, file });
      const wanted = (CASES[name]!.run as { config?: Values } | undefined)?.config ?? {};
      expect(loaded, stringify(wanted)).toMatchObject(wanted);
    }
  });

  test.skipIf(!hasMzsr())("gives mzsr options that it knows", () => {
    const helpOf = (command: string) => spawnSync(process.execPath, [BIN, command, "--help"]).stdout.toString();
    const help: Readonly<Record<string, string>> = { coordinator: helpOf("coordinator"), worker: helpOf("worker") };
    for (const { args } of Object.values(rendered)
      .flatMap(podsOf)
      .flatMap(({ spec }) => spec.containers)) {
      const [command, ...options] = args;
      if (help[command!] === undefined) continue;
      for (const option of options) expect(help[command!], option).toContain(`${option.split("=")[0]} `);
    }
  });
});
