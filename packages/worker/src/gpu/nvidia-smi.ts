/** What NVIDIA GPUs do, as nvidia-smi tells it. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";

export interface GpuReading {
  /** nvidia-smi's index. */
  readonly gpu: string;
  readonly name: string;
  /** Its version. */
  readonly driver: string;
  /** 0…1 */
  readonly utilisation: number;
  readonly memoryUsedBytes: number;
  readonly memoryTotalBytes: number;
  /** Degrees Celsius, where the card tells it. */
  readonly temperature?: number;
}

const FIELDS = "index,name,driver_version,utilization.gpu,memory.used,memory.total,temperature.gpu";
const QUERY = [`--query-gpu=${FIELDS}`, "--format=csv,noheader,nounits"];
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

/** The least compute capability of the cards (9.0 is Hopper's); undefined where nvidia-smi does not tell. */
export async function readComputeCapability(command = "nvidia-smi"): Promise<number | undefined> {
  try {
    const query = ["--query-gpu=compute_cap", "--format=csv,noheader"];
    const { stdout } = await promisify(execFile)(command, query, { timeout: TIMEOUT_MS });
    const known = stdout.split("\n").map(Number.parseFloat).filter(Number.isFinite);
    return known.length === 0 ? undefined : Math.min(...known);
  } catch {
    return undefined;
  }
}

/** Reads nvidia-smi's lines; those with a value that is not known (`[N/A]`) are left out, but for the temperature. */
export function parseGpus(csv: string): GpuReading[] {
  return csv.split("\n").flatMap((line) => {
    const [gpu = "", name = "", driver = "", ...values] = line.split(",").map((value) => value.trim());
    const [percent, used, total, degrees] = values.map((value) => Number(value || "NaN"));
    if (gpu === "" || !isFiniteNumber(percent) || !isFiniteNumber(used) || !isFiniteNumber(total)) return [];
    return [
      {
        ...{ gpu, name, driver, utilisation: percent / 100 },
        ...{ memoryUsedBytes: used * MEBIBYTE, memoryTotalBytes: total * MEBIBYTE },
        ...(isFiniteNumber(degrees) ? { temperature: degrees } : {}),
      },
    ];
  });
}

function isFiniteNumber(value: number | undefined): value is number {
  return Number.isFinite(value);
}
