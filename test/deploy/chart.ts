/** Renders the Helm chart with Helm's template engine (helm-render/main.go), where Go is. */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { parseAllDocuments } from "yaml";

export const CHART = fileURLToPath(new URL("../../deploy/helm/mzsr-cluster/", import.meta.url));
/** A Go module: go.sum says what its packages are, to the bit. */
const RENDERER = fileURLToPath(new URL("helm-render/", import.meta.url));
const GO = {
  cwd: RENDERER,
  // Whatever Go's settings on this machine are.
  env: { ...process.env, GO111MODULE: "on", GOWORK: "off", GOFLAGS: "" },
  encoding: "utf8",
  maxBuffer: 64 * 2 ** 20,
} as const;

export type Values = Readonly<Record<string, unknown>>;

export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly labels?: Readonly<Record<string, string>> };
  readonly spec?: Record<string, unknown>;
  readonly data?: Readonly<Record<string, string>>;
}

/** Whether the chart can be rendered here; tests that need it skip themselves otherwise. */
export function canRender(): boolean {
  const { status, stderr, error } = spawnSync("go", ["mod", "download"], GO);
  if (status === 0) return true;
  const reason = error === undefined ? `Go's packages cannot be fetched: ${stderr.trim()}` : "Go is not on PATH";
  console.warn(`${reason}: the tests that render the Helm chart are skipped`);
  return false;
}

/** The manifests for each case: what differs from values.yaml. */
export function render(cases: Readonly<Record<string, Values>>): Record<string, Manifest[]> {
  const { status, stdout, stderr } = spawnSync("go", ["run", ".", CHART], { ...GO, input: JSON.stringify(cases) });
  if (status !== 0) throw new Error(`the chart does not render: ${stderr}`);
  return Object.fromEntries(
    Object.entries(JSON.parse(stdout) as Record<string, string>).map(([name, text]) => [name, manifestsIn(text)]),
  );
}

function manifestsIn(text: string): Manifest[] {
  return parseAllDocuments(text).flatMap((document) => {
    if (document.errors.length > 0) throw document.errors[0];
    const manifest = document.toJS() as Manifest | null;
    return manifest === null ? [] : [manifest];
  });
}
