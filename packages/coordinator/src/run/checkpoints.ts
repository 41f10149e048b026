/**
 * Checkpoints: `step-%08d.safetensors` holds everything that the rest of the run depends on, and a digest of it all. A
 * checkpoint is whole or absent; one that is broken anyhow is passed over for an older one, and the reason is said.
 */
import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import {
  decodeSafetensors,
  encodeSafetensors,
  InputError,
  messageOf,
  type NamedTensor,
  removeUnfinished,
  type TensorFile,
  writeFileAtomically,
} from "@mzsr/mzsr";
import { BACKEND_NAMES, type BackendName } from "@mzsr/shared";
import { sha256OfFloats } from "../core/trainer.js";
import type { TrainingState } from "../core/training-state.js";

const FORMAT = "mzsr-checkpoint-1";
const NAME = /^step-(\d{8,})\.safetensors$/;

/** What a checkpoint says besides the training state. */
export interface CheckpointFacts {
  readonly run: string;
  /** The run's effective configuration, as JSON. */
  readonly configuration: string;
  /** Digest of the data set's content. */
  readonly dataset: string;
}

export interface Checkpoint extends CheckpointFacts {
  readonly state: TrainingState;
  /** Hex SHA-256 of the parameters, as in metrics.jsonl. */
  readonly thetaSha256: string;
}

/** A checkpoint that could not be used, and why. */
export interface SkippedCheckpoint {
  readonly path: string;
  readonly reason: string;
}

export function checkpointName(step: number): string {
  return `step-${String(step).padStart(8, "0")}.safetensors`;
}

/** The bytes of a checkpoint file. */
export function encodeCheckpoint(state: TrainingState, facts: CheckpointFacts): Uint8Array<ArrayBuffer> {
  const tensors: NamedTensor[] = [
    { name: "theta", shape: [state.theta.length], data: state.theta },
    ...state.history.map((theta, i) => ({ name: `history/${i}`, shape: [theta.length], data: theta })),
    { name: "adam/first_moment", shape: [state.adam.firstMoment.length], data: state.adam.firstMoment },
    { name: "adam/second_moment", shape: [state.adam.secondMoment.length], data: state.adam.secondMoment },
    ...(state.ema === undefined ? [] : [{ name: "ema", shape: [state.ema.average.length], data: state.ema.average }]),
  ];
  return encodeSafetensors(tensors, {
    format: FORMAT,
    step: String(state.step),
    adam_steps: String(state.adam.steps),
    ...(state.ema === undefined ? {} : { ema_steps: String(state.ema.steps) }),
    history: String(state.history.length),
    backend: state.backend ?? "",
    theta_sha256: sha256OfFloats(state.theta),
    content_sha256: contentSha256(tensors),
    run: facts.run,
    configuration: facts.configuration,
    dataset: facts.dataset,
  });
}

/** @throws InputError when the bytes are not a whole checkpoint */
export function decodeCheckpoint(bytes: Uint8Array, where: string): Checkpoint {
  const file = decodeSafetensors(bytes, where);
  const { metadata } = file;
  if (metadata.format !== FORMAT) {
    throw new InputError(`not a checkpoint (format ${metadata.format ?? "not given"})`, { where, expected: FORMAT });
  }
  const count = (key: string) => countOf(metadata[key], key, where);
  const theta = floats(file, "theta", where);
  const history = Array.from({ length: count("history") }, (_, i) => floats(file, `history/${i}`, where));
  const firstMoment = doubles(file, "adam/first_moment", where);
  const secondMoment = doubles(file, "adam/second_moment", where);
  const average = file.tensors.has("ema") ? doubles(file, "ema", where) : undefined;
  if (contentSha256([...file.tensors.values()]) !== metadata.content_sha256) {
    throw new InputError("the content does not match its digest", { where, expected: "an unchanged checkpoint" });
  }
  const arrays = [...history, theta, firstMoment, secondMoment, ...(average === undefined ? [] : [average])];
  const lengths = new Set(arrays.map(({ length }) => length));
  if (lengths.size !== 1) throw new InputError("parameters, moments and average differ in length", { where });
  const adam = { steps: count("adam_steps"), firstMoment, secondMoment };
  const ema = average === undefined ? undefined : { steps: count("ema_steps"), average };
  return {
    state: { step: count("step"), theta, history, adam, ema, backend: backendOf(metadata.backend, where) },
    thetaSha256: sha256OfFloats(theta),
    run: metadata.run ?? "",
    configuration: metadata.configuration ?? "",
    dataset: metadata.dataset ?? "",
  };
}

/** The folder of a run's checkpoints. */
export class CheckpointStore {
  readonly #folder: string;
  readonly #keep: number;

  /** @param keep newest checkpoints that stay */
  constructor(folder: string, keep: number) {
    this.#folder = folder;
    this.#keep = keep;
  }

  /**
   * Writes a checkpoint, then removes the oldest. Those that were there stay usable whatever happens.
   * @returns its path
   */
  async write(step: number, bytes: Uint8Array): Promise<string> {
    await mkdir(this.#folder, { recursive: true });
    const path = join(this.#folder, checkpointName(step));
    await writeFileAtomically(path, bytes);
    await this.#prune();
    return path;
  }

  /** The newest whole checkpoint, and those that had to be passed over. */
  async newest(): Promise<{ checkpoint: Checkpoint | undefined; path: string; skipped: SkippedCheckpoint[] }> {
    const skipped: SkippedCheckpoint[] = [];
    for (const { path } of (await this.list()).reverse()) {
      try {
        return { checkpoint: decodeCheckpoint(await readFile(path), path), path, skipped };
      } catch (thrown) {
        skipped.push({ path, reason: messageOf(thrown) });
      }
    }
    return { checkpoint: undefined, path: "", skipped };
  }

  /** What is there, oldest first. */
  async list(): Promise<{ step: number; path: string }[]> {
    const names = await readdir(this.#folder).catch((thrown: NodeJS.ErrnoException) => {
      if (thrown.code === "ENOENT") return [];
      throw new InputError(`cannot be read (${messageOf(thrown)})`, { where: this.#folder });
    });
    return names
      .flatMap((name) => {
        const match = NAME.exec(name);
        return match === null ? [] : [{ step: Number(match[1]), path: join(this.#folder, name) }];
      })
      .sort((a, b) => a.step - b.step);
  }

  /** Renames broken checkpoints, so that they neither count as the newest ones nor are lost to a curious eye. */
  async setAside(skipped: readonly SkippedCheckpoint[]): Promise<void> {
    for (const { path } of skipped) await rename(path, `${path}.broken`);
  }

  async #prune(): Promise<void> {
    const old = (await this.list()).slice(0, -this.#keep);
    for (const { path } of old) await rm(path, { force: true });
    await removeUnfinished(this.#folder, (name) => NAME.test(name));
  }
}

/** Over names and bytes of all tensors, in the order of their names. */
function contentSha256(tensors: readonly NamedTensor[]): string {
  const hash = createHash("sha256");
  for (const { name, data } of [...tensors].sort((a, b) => (a.name < b.name ? -1 : 1))) {
    hash.update(`${name}\n`).update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  }
  return hash.digest("hex");
}

function floats(file: TensorFile, name: string, where: string): Float32Array {
  const data = file.tensors.get(name)?.data;
  if (data instanceof Float32Array) return data;
  throw new InputError(`tensor ${name} is missing or not float32`, { where });
}

function doubles(file: TensorFile, name: string, where: string): Float64Array {
  const data = file.tensors.get(name)?.data;
  if (data instanceof Float64Array) return data;
  throw new InputError(`tensor ${name} is missing or not float64`, { where });
}

function countOf(text: string | undefined, key: string, where: string): number {
  if (text !== undefined && /^\d{1,15}$/.test(text)) return Number(text);
  throw new InputError(`${key} is ${text ?? "not given"}`, { where, expected: "a whole number" });
}

function backendOf(text: string | undefined, where: string): BackendName | undefined {
  if (text === undefined || text === "") return undefined;
  const known = BACKEND_NAMES.find((name) => name === text);
  if (known === undefined)
    throw new InputError(`unknown backend ${text}`, { where, expected: BACKEND_NAMES.join(", ") });
  return known;
}
