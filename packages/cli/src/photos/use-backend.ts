import { InputError } from "@mzsr/mzsr";
import { BACKEND_NAMES, type BackendName, nearestName } from "@mzsr/shared";
import { type PhotoBackend, startPhotoBackend } from "@mzsr/worker";

/** What photos are computed with, as the user says it. */
export interface BackendChoice {
  /** A backend, or `auto` for the first that starts. */
  readonly backend: string;
  /** Which GPU, and gigabytes of its memory: of `webgpu` alone. */
  readonly device?: number | undefined;
  readonly gpuMemory?: number | undefined;
}

/**
 * Starts what photos are computed with in this thread.
 * @param note told when something is not computed on it
 * @throws InputError for an unknown name, or when it does not start
 */
export async function useBackend(
  { backend, device, gpuMemory }: BackendChoice,
  note?: (text: string) => void,
): Promise<PhotoBackend> {
  const gpuMemoryBytes = gpuMemory === undefined ? undefined : gpuMemory * 1e9;
  return startPhotoBackend(backendName(backend), { device, gpuMemoryBytes, ...(note && { note }) });
}

/** @throws InputError for an unknown name */
export function backendName(name: string): BackendName | "auto" {
  const names = ["auto", ...BACKEND_NAMES] as const;
  const known = names.find((candidate) => candidate === name);
  if (known !== undefined) return known;
  const near = nearestName(name, names);
  const hint = near === undefined ? "" : ` (did you mean ${near}?)`;
  throw new InputError(`unknown backend "${name}"`, {
    where: "--backend",
    expected: `one of ${names.join(", ")}${hint}`,
  });
}
