/** The Helm chart as Helm sees it. */
import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { goTool } from "@mzsr/testing/go-tool";
import { parseAllDocuments } from "yaml";

export const CHART = fileURLToPath(new URL("../../deploy/helm/mzsr-cluster/", import.meta.url));
const HELM = goTool("helm");
/** Without a cluster, Helm takes its version for what this build of Helm was made with, or for a very old one. */
const KUBERNETES = ["--kube-version", "1.31.0"];
const TEMPLATE = ["template", "demo", "--namespace", "lab", ...KUBERNETES];
/** `helm template` prints no notes, so that a copy of the chart has them rendered into this manifest. */
const NOTES = "the-notes";
const NOTES_TEMPLATE = `apiVersion: v1
kind: ConfigMap
metadata: { name: ${NOTES} }
data: { notes: {{ tpl (.Files.Get "files/NOTES.txt") . | quote }} }
`;

export type Values = Readonly<Record<string, unknown>>;

export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly labels?: Readonly<Record<string, string>> };
  readonly spec?: Record<string, unknown>;
  readonly data?: Readonly<Record<string, string>>;
}

export interface Rendered {
  readonly manifests: Manifest[];
  readonly notes: string;
}

/** Whether the chart can be rendered here; tests that need it skip themselves otherwise. */
export function hasHelm(): boolean {
  return HELM !== undefined;
}

/** What Helm said to a command for a chart. */
export function helm(
  command: string,
  ...args: readonly string[]
): { readonly code: number | null; readonly said: string } {
  return withFolder((home) => {
    const { status, stdout, stderr } = runHelm(home, [...(command === "template" ? TEMPLATE : [command]), ...args]);
    return { code: status, said: stdout + stderr };
  });
}

/** A release `demo` in the namespace `lab` for each case: what differs from values.yaml. */
export function render(cases: Readonly<Record<string, Values>>): Record<string, Rendered> {
  return withFolder((folder) => {
    const chart = join(folder, "chart");
    cpSync(CHART, chart, { recursive: true, dereference: true });
    cpSync(join(chart, "templates/NOTES.txt"), join(chart, "files/NOTES.txt"));
    writeFileSync(join(chart, "templates/the-notes.yaml"), NOTES_TEMPLATE);
    return Object.fromEntries(
      Object.entries(cases).map(([name, values]) => {
        const file = join(folder, "values.json");
        writeFileSync(file, JSON.stringify(values));
        const { status, stdout, stderr } = runHelm(folder, [...TEMPLATE, chart, "--values", file]);
        if (status !== 0) throw new Error(`${name} does not render: ${stderr}`);
        const all = manifestsIn(stdout);
        const isNotes = ({ metadata }: Manifest) => metadata.name === NOTES;
        return [name, { manifests: all.filter((it) => !isNotes(it)), notes: all.find(isNotes)!.data!.notes! }];
      }),
    );
  });
}

/** @param home where Helm keeps what is its own, so that nothing of this machine's settings matters */
function runHelm(home: string, args: readonly string[]) {
  const env = { PATH: process.env.PATH, HOME: home, KUBECONFIG: join(home, "none") };
  return spawnSync(HELM!, args, { env, encoding: "utf8", maxBuffer: 64 * 2 ** 20 });
}

function withFolder<T>(use: (folder: string) => T): T {
  const folder = mkdtempSync(join(tmpdir(), "mzsr-helm-"));
  try {
    return use(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function manifestsIn(text: string): Manifest[] {
  return parseAllDocuments(text).flatMap((document) => {
    if (document.errors.length > 0) throw document.errors[0];
    const manifest = document.toJS() as Manifest | null;
    return manifest === null ? [] : [manifest];
  });
}
