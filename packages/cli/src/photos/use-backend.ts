import { InputError } from "@mzsr/mzsr";
import { BACKEND_NAMES, type BackendName, nearestName } from "@mzsr/shared";
import { type PhotoBackend, startPhotoBackend } from "@mzsr/worker";

/**
 * Starts what photos are computed with in this thread.
 * @param name a backend, or `auto` for the first that starts
 * @param note told when something is not computed on it
 * @throws InputError for an unknown name, or when it does not start
 */
export async function useBackend(name: string, note?: (text: string) => void): Promise<PhotoBackend> {
  return startPhotoBackend(backendName(name), note === undefined ? {} : { note });
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
