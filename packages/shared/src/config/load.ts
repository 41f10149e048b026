/**
 * A run's configuration from its layers: the schema's defaults, a preset, a YAML file, flags; later ones win.
 */

import { InputError, messageOf, readSmallFile, reasonOf, shortened } from "@mzsr/mzsr";
import { parse as parseYaml, YAMLParseError } from "yaml";
import { nearestName } from "./nearest.js";
import { PRESET_NAMES, type PresetName, presets } from "./presets.js";
import { type ConfigurationProblem, describeIssues } from "./problems.js";
import { type Configuration, configurationSchema, largestVariance } from "./schema.js";
import { isPlainObject, mergeTrees, type PlainObject, treeOf, valueAt } from "./tree.js";

/** A value that a flag sets. */
export interface ConfigurationOverride {
  /** Dotted path, e.g. `metaTraining.steps`. */
  readonly path: string;
  readonly value: unknown;
  /** What the user typed, for errors: `--steps 100`. */
  readonly where: string;
}

export interface ConfigurationSources {
  readonly preset?: string | undefined;
  /** Path of a YAML file. */
  readonly file?: string | undefined;
  readonly overrides?: readonly ConfigurationOverride[] | undefined;
}

/** A file with every key takes some kilobytes. */
const LARGEST_CONFIGURATION_BYTES = 256 * 1024;

/** Of what a message quotes from a file. */
const LONGEST_QUOTE = 200;

interface Layer {
  readonly where: string;
  readonly values: PlainObject;
}

/**
 * @returns the whole effective configuration
 * @throws InputError that names key, value and range for whatever is not usable
 */
export async function loadConfiguration(sources: ConfigurationSources = {}): Promise<Configuration> {
  const layers: Layer[] = [];
  if (sources.preset !== undefined) layers.push(presetLayer(sources.preset));
  if (sources.file !== undefined) layers.push(fileLayer(sources.file));
  for (const { path, value, where } of sources.overrides ?? []) layers.push({ where, values: treeOf(path, value) });
  return configurationFromLayers(layers);
}

/**
 * `key.path=value` as `--set` takes it; the value is YAML, so `3`, `true` and `mixed` mean what they look like.
 * @throws InputError when there is no `=` or the value is no YAML
 */
export function parseOverride(text: string): ConfigurationOverride {
  const where = `--set ${text}`;
  const split = text.indexOf("=");
  const path = text.slice(0, split).trim();
  if (split < 1 || path === "") {
    throw new InputError("no key and value", { where, expected: "KEY=VALUE, for example metaTraining.innerSteps=3" });
  }
  try {
    return { path, value: parseYaml(text.slice(split + 1)), where };
  } catch (thrown) {
    throw new InputError(`the value cannot be read (${firstLine(thrown)})`, { where, expected: "a YAML value" });
  }
}

function presetLayer(name: string): Layer {
  if (!(PRESET_NAMES as readonly string[]).includes(name)) {
    const near = nearestName(name, PRESET_NAMES);
    const hint = near === undefined ? "" : ` (did you mean ${near}?)`;
    throw new InputError(`unknown preset "${name}"`, {
      where: "--preset",
      expected: `one of ${PRESET_NAMES.join(", ")}${hint}`,
    });
  }
  return { where: `preset ${name}`, values: presets[name as PresetName] };
}

function fileLayer(path: string): Layer {
  let text: string;
  try {
    text = readSmallFile(path, LARGEST_CONFIGURATION_BYTES).toString("utf8");
  } catch (thrown) {
    throw new InputError(`cannot be read (${reasonOf(thrown)})`, {
      where: path,
      expected: "a YAML configuration file",
    });
  }
  let values: unknown;
  try {
    values = parseYaml(text) ?? {};
  } catch (thrown) {
    const line = thrown instanceof YAMLParseError ? (thrown.linePos?.[0].line ?? 1) : 1;
    throw new InputError(`not YAML (${firstLine(thrown)})`, { where: `${path}:${line}`, expected: "key: value lines" });
  }
  if (!isPlainObject(values)) {
    throw new InputError("holds no keys", { where: path, expected: "a YAML configuration with lines of key: value" });
  }
  return { where: path, values };
}

function configurationFromLayers(layers: readonly Layer[]): Configuration {
  const values = layers.reduce<PlainObject>((merged, layer) => mergeTrees(merged, layer.values), {});
  const parsed = configurationSchema.safeParse(values);
  const problems = parsed.success ? contradictions(parsed.data) : describeIssues(parsed.error.issues, values);
  if (problems.length > 0) throw problemError(problems, layers);
  return parsed.data as Configuration;
}

/** What is wrong between keys that are each right. */
function contradictions(configuration: Configuration): ConfigurationProblem[] {
  const { degradation, pretraining, metaTraining } = configuration;
  const problems: ConfigurationProblem[] = [];
  const { scale, scales = [scale] } = degradation;
  const lambdaMax = largestVariance(degradation, scales[0]!);
  if (lambdaMax < degradation.lambdaMin) {
    problems.push({
      path: degradation.lambdaMax === undefined ? "degradation.lambdaMin" : "degradation.lambdaMax",
      what: `degradation.lambdaMax is ${lambdaMax} and degradation.lambdaMin is ${degradation.lambdaMin}`,
      expected: "lambdaMax not below lambdaMin",
    });
  }
  if (!scales.includes(scale)) {
    const what = `degradation.scale is ${scale} and degradation.scales are ${scales.join(", ")}`;
    problems.push({ path: "degradation.scales", what, expected: "scale among scales" });
  }
  if (pretraining.steps + metaTraining.steps === 0) {
    problems.push({
      path: "metaTraining.steps",
      what: "pretraining.steps and metaTraining.steps are both 0",
      expected: "at least one step to train",
    });
  }
  if (configuration.initSha256 !== undefined && configuration.init === undefined) {
    problems.push({ path: "initSha256", what: "initSha256 is given without init", expected: "init, the file, too" });
  }
  return problems;
}

function problemError(problems: readonly ConfigurationProblem[], layers: readonly Layer[]): InputError {
  const [first, ...others] = problems as [ConfigurationProblem, ...ConfigurationProblem[]];
  const rest = others.length === 0 ? "" : `\n(and ${others.length} more: ${others.map((p) => p.path).join(", ")})`;
  return new InputError(first.what, { where: originOf(first.path, layers), expected: first.expected + rest });
}

/** The last layer that says something about a key. */
function originOf(path: string, layers: readonly Layer[]): string {
  const steps = path.split(".");
  return layers.findLast((layer) => valueAt(layer.values, steps) !== undefined)?.where ?? "configuration";
}

function firstLine(thrown: unknown): string {
  return shortened(messageOf(thrown).split("\n")[0]!.replace(/:$/, ""), LONGEST_QUOTE);
}
