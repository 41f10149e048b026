/** What NVIDIA GPUs do, as nvidia-smi tells it. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";

export interface GpuReading {
  /** nvidia-smi's index. */
  readonly gpu: string;
  /** 0…1 */
  readonly utilisation: number;
  readonly memoryUsedBytes: number;
  readonly memoryTotalBytes: number;
}

const QUERY = ["--query-gpu=index,utilization.gpu,memory.used,memory.total", "--format=csv,noheader,nounits"];
const TIMEOUT_MS = 5_000;
const MEBIBYTE = 1024 * 1024;

/**
 * One reading per GPU; empty where there is no nvidia-smi or it does not answer.
 * @param command the program to ask; another one in tests
 */
export async function readGpus(command = "nvidia-smi"): Promise<GpuReading[]> {
  try {
    const { stdout } = await promisify(execFile)(command, QUERY, { timeout: TIMEOUT_MS });
    return parseGpus(stdout);
  } catch {
    return [];
  }
}

/** Reads nvidia-smi's lines; those with a value that is not known (`[N/A]`) are left out. */
export function parseGpus(csv: string): GpuReading[] {
  return csv.split("\n").flatMap((line) => {
    const [gpu = "", ...values] = line.split(",").map((value) => value.trim());
    const [percent = Number.NaN, used = Number.NaN, total = Number.NaN] = values.map((value) => Number(value || "NaN"));
    if (gpu === "" || ![percent, used, total].every(Number.isFinite)) return [];
    return [{ gpu, utilisation: percent / 100, memoryUsedBytes: used * MEBIBYTE, memoryTotalBytes: total * MEBIBYTE }];
  });
}
