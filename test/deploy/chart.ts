/** Renders the Helm chart with Helm's template engine (helm-render/main.go), where Go and Debian's packages for it are. */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseAllDocuments } from "yaml";

export const CHART = fileURLToPath(new URL("../../deploy/helm/mzsr-cluster/", import.meta.url));
const RENDERER = fileURLToPath(new URL("helm-render/main.go", import.meta.url));
/** Where golang-github-masterminds-sprig-dev puts its sources. */
const GO_PACKAGES = "/usr/share/gocode";

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
  const found =
    spawnSync("go", ["version"]).status === 0 && existsSync(join(GO_PACKAGES, "src/github.com/Masterminds/sprig"));
  if (!found) {
    const needed = "golang-go and golang-github-masterminds-sprig-dev are not installed";
    console.warn(`${needed}: the tests that render the Helm chart are skipped`);
  }
  return found;
}

/** The manifests for each case: what differs from values.yaml. */
export function render(cases: Readonly<Record<string, Values>>): Record<string, Manifest[]> {
  const { status, stdout, stderr } = spawnSync("go", ["run", RENDERER, CHART], {
    env: { ...process.env, GO111MODULE: "off", GOPATH: GO_PACKAGES, GOFLAGS: "" },
    input: JSON.stringify(cases),
    encoding: "utf8",
    maxBuffer: 64 * 2 ** 20,
  });
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
