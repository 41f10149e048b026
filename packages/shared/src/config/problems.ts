/**
 * Turns what the schema has against a configuration into lines that name the key, its value and what it may be.
 */

import { shortened } from "@mzsr/mzsr";
import type { z } from "zod";
import { type ConfigurationKey, configurationKeys } from "./keys.js";
import { nearestName } from "./nearest.js";
import { type PlainObject, valueAt } from "./tree.js";

/** One thing wrong with a configuration. */
export interface ConfigurationProblem {
  /** Dotted path of the key. */
  readonly path: string;
  readonly what: string;
  readonly expected: string;
}

/** @param values the object that was parsed */
export function describeIssues(issues: readonly z.core.$ZodIssue[], values: PlainObject): ConfigurationProblem[] {
  const keys = configurationKeys();
  return issues.flatMap((issue) => {
    const path = issue.path.join(".");
    if (issue.code === "unrecognized_keys") return issue.keys.map((key) => unknownKey(path, key, keys));
    return [badValue(path, issue, values, keys)];
  });
}

function unknownKey(parent: string, key: string, keys: readonly ConfigurationKey[]): ConfigurationProblem {
  const path = shortened(parent === "" ? key : `${parent}.${key}`, LONGEST_QUOTE);
  const siblings = childNames(parent, keys);
  return { path, what: `unknown key ${path}`, expected: suggestion(key, siblings, keys) };
}

function suggestion(key: string, siblings: readonly string[], keys: readonly ConfigurationKey[]): string {
  const sibling = nearestName(key, siblings);
  if (sibling !== undefined) return `one of ${siblings.join(", ")} (did you mean ${sibling}?)`;
  const leaf = (path: string) => path.slice(path.lastIndexOf(".") + 1);
  const elsewhere = keys.filter((other) => leaf(other.path) === leaf(key)).map((other) => other.path);
  const hint = elsewhere.length > 0 ? ` (did you mean ${elsewhere.join(" or ")}?)` : "";
  return `one of ${siblings.join(", ")}${hint}`;
}

function childNames(parent: string, keys: readonly ConfigurationKey[]): string[] {
  const prefix = parent === "" ? "" : `${parent}.`;
  const below = keys.filter((key) => key.path.startsWith(prefix)).map((key) => key.path.slice(prefix.length));
  return [...new Set(below.map((path) => path.split(".")[0]!))];
}

/** Of a value or key that is told to the user. */
const LONGEST_QUOTE = 80;

function quoted(value: unknown): string {
  return shortened(String(JSON.stringify(value)), LONGEST_QUOTE);
}

function badValue(
  path: string,
  issue: z.core.$ZodIssue,
  values: PlainObject,
  keys: readonly ConfigurationKey[],
): ConfigurationProblem {
  const key = keys.find((candidate) => candidate.path === path);
  const what = `${path === "" ? "the configuration" : path} is ${quoted(valueAt(values, issue.path))}`;
  if (key === undefined) return { path, what, expected: `a group with the keys ${childNames(path, keys).join(", ")}` };
  const rule = issue.code === "custom" ? `, and it ${issue.message}` : "";
  return { path, what, expected: key.allowed + rule };
}
