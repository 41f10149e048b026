/**
 * The ways to compute TensorFlow.js ops (docs/architecture.md) and how each is started. Packages that need a GPU or a native
 * library are optional: they are loaded only when asked for, or found by `auto`.
 */
import { createRequire } from "node:module";
import util from "node:util";
import { InputError, messageOf, RunError } from "@mzsr/mzsr";
import type { BackendName } from "@mzsr/shared";
import * as tf from "@tensorflow/tfjs-core";
import { readComputeCapability } from "../gpu/nvidia-smi.js";
import type { StartedBackend } from "./compute-messages.js";

/** Starts one backend: makes it TensorFlow.js's active one. */
export interface BackendStarter {
  readonly name: BackendName;
  /**
   * @param asked false where `auto` tries it, which wants real devices only
   * @returns one line for people about the device
   * @throws Error with the reason, one clear sentence, when it does not start on this machine
   */
  start(asked: boolean): Promise<string>;
}

/**
 * Makes a compute backend the active one of TensorFlow.js in this thread.
 *
 * @param name the backend, or `auto` for the first that starts, in the order of `starters`
 * @throws InputError when the backend asked for does not start; RunError when none does
 */
export async function startBackend(
  name: BackendName | "auto",
  starters: readonly BackendStarter[] = backendStarters(),
): Promise<StartedBackend> {
  const candidates = name === "auto" ? starters : starters.filter((starter) => starter.name === name);
  const reasons: { backend: BackendName; reason: string }[] = [];
  let items: readonly string[] = [];
  for (const starter of candidates) {
    try {
      return { name: starter.name, description: await starter.start(name !== "auto"), reasons };
    } catch (thrown) {
      reasons.push({ backend: starter.name, reason: reasonOf(thrown) });
      if (thrown instanceof InputError) items = thrown.items;
    }
  }
  const told = reasons.map(({ backend, reason }) => `${backend}: ${reason}`).join("; ");
  if (name === "auto") throw new RunError(`no compute backend starts (${told})`);
  throw new InputError(`backend ${name} does not start: ${reasons[0]?.reason ?? "it is not known here"}`, {
    expected: `auto, or another of ${starters.map((starter) => starter.name).join(", ")}`,
    items,
  });
}

/** With what would be right, where that is known. */
function reasonOf(thrown: unknown): string {
  if (!(thrown instanceof InputError) || thrown.expected === undefined) return messageOf(thrown);
  return `${thrown.what}: ${thrown.expected}`;
}

/** All backends, fastest first: the order in which `auto` tries them, that of BACKEND_NAMES. */
export function backendStarters(): BackendStarter[] {
  return [
    { name: "webgpu", start: startWebgpu },
    { name: "cuda", start: startCuda },
    { name: "tensorflow", start: startTensorflow },
    { name: "simd", start: startSimd },
    { name: "cpu", start: startCpu },
  ];
}

/** Whether a thread of a backend leaves the other cores alone; those of GPUs and TensorFlow's own use what there is by themselves. */
export function usesOneCore(name: BackendName): boolean {
  return name === "simd" || name === "cpu";
}

/** What the native backend of tfjs-node tells of itself. */
interface NativeBackend {
  readonly isUsingGpuDevice: boolean;
}

async function startCuda(asked: boolean): Promise<string> {
  requireInstalled("@tensorflow/tfjs-node-gpu");
  requireOldUtil("@tensorflow/tfjs-node-gpu");
  const note = cardNote(await readComputeCapability());
  if (note !== undefined && !asked) throw new Error(note);
  keepFullPrecision();
  await load("@tensorflow/tfjs-node-gpu");
  await activate("tensorflow");
  if (!(tf.backend() as unknown as NativeBackend).isUsingGpuDevice) {
    // Without a device the package computes on the CPU and only logs it; that backend has a name of its own.
    tf.removeBackend("tensorflow");
    throw new Error("@tensorflow/tfjs-node-gpu finds no CUDA device: it needs an NVIDIA driver, CUDA 11 and cuDNN 8");
  }
  return note === undefined ? "TensorFlow with CUDA" : `TensorFlow with CUDA; ${note}`;
}

/**
 * TensorFlow's convolutions round their operands to TF32 on newer cards unless NVIDIA's libraries are told otherwise. They
 * read it when they start, out of the process's own environment, of which threads have copies: `backendThread` calls it before it starts one.
 */
export function keepFullPrecision(): void {
  process.env.NVIDIA_TF32_OVERRIDE ??= "0";
}

/**
 * What there is to say of a card that the package's CUDA 11.2 is older than.
 * @param capability compute capability, such as 9.0; undefined where it is not known
 */
export function cardNote(capability: number | undefined): string | undefined {
  if (capability === undefined || capability < NEWER_CARDS) return undefined;
  return (
    `@tensorflow/tfjs-node-gpu was made before this card (compute capability ${capability.toFixed(1)}): ` +
    "it compiles its kernels at every first start, for minutes, if it starts at all; the backend webgpu does not"
  );
}

/** Hopper; CUDA 11.2 has code for Ampere, which Ada runs, too. */
const NEWER_CARDS = 9;

/** @throws Error on Node 23 and newer, which lack what the newest tfjs-node (4.22.0) calls */
export function requireOldUtil(name: string, version = process.versions.node, functions: object = util): void {
  if ("isNullOrUndefined" in functions) return;
  throw new Error(`${name} calls util.isNullOrUndefined, which Node ${version} no longer has: take Node 22, or webgpu`);
}

async function startTensorflow(): Promise<string> {
  requireInstalled("@tensorflow/tfjs-node");
  requireOldUtil("@tensorflow/tfjs-node");
  await load("@tensorflow/tfjs-node");
  await activate("tensorflow");
  return "TensorFlow's native library on the CPU";
}

/** The part of the `webgpu` package (Dawn for Node) that is used here. */
interface Dawn {
  create(options: string[]): { requestAdapter(): Promise<{ info: AdapterInfo } | null> };
  readonly globals: object;
}

interface AdapterInfo {
  readonly vendor: string;
  readonly architecture: string;
  readonly description: string;
  readonly isFallbackAdapter: boolean;
}

async function startWebgpu(asked: boolean): Promise<string> {
  const dawn = (await load("webgpu")) as Dawn;
  const { requireVulkanLoader } = await import("@mzsr/engine-webgpu");
  requireVulkanLoader();
  const gpu = dawn.create([]);
  holdForGood(dawn, gpu);
  const adapter = await gpu.requestAdapter();
  if (adapter === null) throw new Error("no GPU with a Vulkan, Metal or D3D12 driver is found");
  const { vendor, architecture, description, isFallbackAdapter } = adapter.info;
  const device = description || `${vendor} ${architecture}`;
  if (isFallbackAdapter && !asked) throw new Error(onlySoftware(device));
  // TensorFlow.js looks for the browser's globals.
  Object.assign(globalThis, dawn.globals);
  const { navigator = {} } = globalThis as { navigator?: object };
  Object.defineProperty(navigator, "gpu", { value: gpu, configurable: true });
  Object.defineProperty(globalThis, "navigator", { value: navigator, configurable: true });
  await load("@tensorflow/tfjs-backend-webgpu");
  await activate("webgpu");
  return `WebGPU on ${device}`;
}

/** Why `auto` does not take a driver that stands in for a GPU. */
export function onlySoftware(device: string): string {
  return `only ${device} is found, which computes on the CPU`;
}

const HELD = Symbol.for("mzsr.held");

/** Dawn crashes the process when what `create` returned is collected: its own module holds it. */
function holdForGood({ globals }: Dawn, gpu: object): void {
  const { [HELD]: held = new Set() } = globals as { [HELD]?: Set<object> };
  Object.assign(globals, { [HELD]: held.add(gpu) });
}

async function startSimd(): Promise<string> {
  await import("@mzsr/tfjs-backend-simd");
  await activate("simd");
  return "WebAssembly SIMD, one thread";
}

async function startCpu(): Promise<string> {
  await import("@tensorflow/tfjs-backend-cpu");
  await activate("cpu");
  return "plain JavaScript, one thread, slow: meant for tests";
}

/** Loads an optional package. Its name is a variable, so that the compiler does not look for it. */
async function load(name: string): Promise<unknown> {
  requireInstalled(name);
  try {
    return await import(name);
  } catch (thrown) {
    throw new Error(`${name} does not load: ${firstLine(messageOf(thrown))}`);
  }
}

/** Makes a registered backend the active one and computes something small on it: a driver may fail only then. */
async function activate(backend: string): Promise<void> {
  if (!(await tf.setBackend(backend))) throw new Error(`TensorFlow.js cannot initialise its backend ${backend}`);
  const sum = tf.tidy(() => tf.add(tf.tensor1d([1, 2]), tf.tensor1d([3, 4])));
  const values = await sum.data();
  sum.dispose();
  if (values[0] !== 4 || values[1] !== 6) throw new Error(`backend ${backend} adds 1 + 3 and 2 + 4 to ${values}`);
}

function requireInstalled(name: string): void {
  if (!isInstalled(name)) throw new Error(`${name} is not installed: npm install ${name}`);
}

function isInstalled(name: string): boolean {
  try {
    createRequire(import.meta.url).resolve(name);
    return true;
  } catch (thrown) {
    return (thrown as NodeJS.ErrnoException).code !== "MODULE_NOT_FOUND";
  }
}

function firstLine(text: string): string {
  return text.split("\n", 1)[0]!;
}
