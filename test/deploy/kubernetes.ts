/**
 * What Kubernetes and the operators would say to a manifest: the types of its kind, which refuse what is misspelt, and
 * the published schema of its kind, which refuses values that are out of range or of another form.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { Manifest } from "./chart.js";

const require = createRequire(import.meta.url);

/** The package with the models of an API group; Kubernetes' own by default. */
const PACKAGES: Readonly<Record<string, string>> = {
  "keda.sh": "@kubernetes-models/keda",
  "monitoring.coreos.com": "@kubernetes-models/prometheus-operator",
};

interface Model {
  /** @throws Error with every place that does not match */
  validate(): void;
}

type ModelClass = new (manifest: Manifest) => Model;

/** What the compiler says to the manifests as literals of their types: nothing when all is well. */
export function typeErrors(manifests: readonly Manifest[]): string {
  const folder = mkdtempSync(join(tmpdir(), "mzsr-manifests-"));
  try {
    const file = join(folder, "manifests.ts");
    writeFileSync(file, manifests.map(declaration).join("\n"));
    const tsc = join(dirname(require.resolve("typescript/package.json")), "bin/tsc");
    const flags = ["--noEmit", "--strict", "--ignoreConfig", "--module", "nodenext", "--types", ""];
    const { stdout, stderr } = spawnSync(process.execPath, [tsc, ...flags, file], { cwd: folder, encoding: "utf8" });
    return stdout + stderr;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function declaration(manifest: Manifest, i: number): string {
  const { name, folder } = packageOf(manifest);
  const type = join(dirname(require.resolve(`${name}/package.json`)), folder, manifest.kind);
  return `export const manifest${i}: import(${JSON.stringify(type)}).I${manifest.kind} = ${JSON.stringify(manifest)};`;
}

/** Where a manifest does not match the schema of its kind; undefined when it does. */
export async function schemaErrors(manifest: Manifest): Promise<string | undefined> {
  const { name, folder } = packageOf(manifest);
  const models = (await import(`${name}/${folder}`)) as Readonly<Record<string, ModelClass>>;
  try {
    new models[manifest.kind]!(manifest).validate();
    return undefined;
  } catch (thrown) {
    return (thrown as Error).message;
  }
}

function packageOf({ apiVersion }: Manifest): { readonly name: string; readonly folder: string } {
  return { name: PACKAGES[apiVersion.split("/")[0]!] ?? "kubernetes-models", folder: apiVersion };
}
