import { InputError } from "@mzsr/mzsr";
import { BACKEND_NAMES, type BackendName, nearestName } from "@mzsr/shared";
import { startBackend } from "@mzsr/worker";

/**
 * Makes a compute backend the active one of TensorFlow.js in this thread.
 * @param name a backend, or `auto` for the first that starts
 * @returns its name
 * @throws InputError for an unknown name, or when it does not start
 */
export async function useBackend(name: string): Promise<BackendName> {
  return (await startBackend(backendName(name))).name;
}

/** `useBackend` for a thread that goes on meanwhile: whoever waits for what it returns hears of a failure, and nobody else. */
export function beginBackend(name: string): Promise<BackendName> {
  const started = useBackend(name);
  started.catch(() => undefined);
  return started;
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
