import { InputError } from "@mzsr/mzsr";

/**
 * Checks `host:port` (IPv6 in brackets) and returns it.
 * @throws InputError when it is something else
 */
export function coordinatorAddress(text: string): string {
  const match = /^(\[[0-9A-Fa-f:.%]+\]|[A-Za-z0-9._-]+):(\d{1,5})$/.exec(text.trim());
  const port = Number(match?.[2]);
  if (match === null || port < 1 || port > 65_535) {
    throw new InputError(`${JSON.stringify(text)} is not a coordinator's address`, { expected: "host:port" });
  }
  return match[0];
}
