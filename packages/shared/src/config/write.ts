import { writeFileAtomically } from "@mzsr/mzsr";
import { stringify } from "yaml";
import { type Configuration, configurationSchema } from "./schema.js";
import { leavesOf } from "./tree.js";

/** The configuration as YAML, every key said, that `loadConfiguration` reads back to the same. */
export function configurationYaml(configuration: Configuration): string {
  return stringify(configurationSchema.parse(configuration));
}

/** Writes the effective configuration; the file is whole or absent. */
export async function writeConfiguration(path: string, configuration: Configuration): Promise<void> {
  await writeFileAtomically(path, Buffer.from(configurationYaml(configuration)));
}

/** A key that two configurations disagree about. */
export interface ConfigurationDifference {
  readonly path: string;
  /** undefined where the key is not set. */
  readonly before: unknown;
  readonly after: unknown;
}

/** The keys in which two configurations differ, sorted by path. */
export function configurationDifferences(before: Configuration, after: Configuration): ConfigurationDifference[] {
  const [old, now] = [new Map(leavesOf(before)), new Map(leavesOf(after))];
  return [...new Set([...old.keys(), ...now.keys()])]
    .sort()
    .filter((path) => JSON.stringify(old.get(path)) !== JSON.stringify(now.get(path)))
    .map((path) => ({ path, before: old.get(path), after: now.get(path) }));
}
