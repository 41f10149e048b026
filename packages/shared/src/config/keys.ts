/**
 * What the schema says about each key, for error messages and for the test that keeps docs/configuration.md true.
 */
import { z } from "zod";
import { configurationSchema } from "./schema.js";

/** One key of a configuration. */
export interface ConfigurationKey {
  /** Dotted, e.g. `metaTraining.innerSteps`. */
  readonly path: string;
  /** What may stand there, in words: `a whole number from 1 to 20`. */
  readonly allowed: string;
  /** As JSON; undefined when the key may be left out and has no fixed default. */
  readonly defaultValue: unknown;
}

interface JsonSchema {
  readonly type?: string;
  readonly enum?: readonly unknown[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly exclusiveMaximum?: number;
  readonly default?: unknown;
  readonly items?: JsonSchema;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
}

/** Every key of the configuration, in the schema's order. */
export function configurationKeys(): ConfigurationKey[] {
  return keysBelow(z.toJSONSchema(configurationSchema, { io: "input" }) as JsonSchema, "");
}

function keysBelow(schema: JsonSchema, prefix: string): ConfigurationKey[] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, child]) =>
    child.properties === undefined
      ? [{ path: prefix + name, allowed: allowedValues(child), defaultValue: child.default }]
      : keysBelow(child, `${prefix}${name}.`),
  );
}

function allowedValues(schema: JsonSchema): string {
  if (schema.enum !== undefined) return `one of ${schema.enum.join(", ")}`;
  if (schema.type === "boolean") return "true or false";
  if (schema.type === "string") return "text";
  if (schema.items !== undefined) return `a list, each ${allowedValues(schema.items)}`;
  const noun = schema.type === "integer" ? "a whole number" : "a number";
  const above = schema.exclusiveMinimum;
  const from = above === undefined ? `from ${schema.minimum}` : `above ${above}`;
  if (schema.exclusiveMaximum !== undefined) return `${noun} ${from} and below ${schema.exclusiveMaximum}`;
  const max = schema.maximum;
  if (max === undefined || max === Number.MAX_SAFE_INTEGER) return `${noun} ${from}`;
  return `${noun} ${from} ${above === undefined ? "to" : "and at most"} ${max}`;
}
