/** Who reaches an address that a coordinator listens on, and whether they may. */
import { networkInterfaces } from "node:os";
import { InputError } from "@mzsr/mzsr";
import { isLoopback } from "@mzsr/shared";

export interface Exposure {
  /** Interface that is listened on. */
  readonly host: string;
  readonly insecure?: boolean | undefined;
  readonly token?: string | undefined;
  readonly tls?: { readonly clientCaFile?: string | undefined } | undefined;
}

/**
 * Whether whoever reaches this machine may join and the network was said to be private: worth a warning.
 * @throws InputError where nobody said so
 */
export function isOpen({ host, insecure, token, tls }: Exposure): boolean {
  if (isLoopback(host) || token !== undefined || tls?.clientCaFile !== undefined) return false;
  if (insecure === true) return true;
  throw new InputError("whoever reaches this machine could join, and be sent the training images", {
    where: `--host ${host}`,
    expected: "a token (--token-file, or MZSR_TOKEN), --tls-ca, or --insecure where the network is private",
  });
}

/** An address under which other machines find one that listens on all of its interfaces; others are as they are. */
export function reachableAddress(address: string, interfaces = networkInterfaces()): string {
  const port = /^(?:0\.0\.0\.0|\[::\]):(\d+)$/.exec(address)?.[1];
  if (port === undefined) return address;
  const outside = Object.values(interfaces).flatMap((known) => (known ?? []).filter(({ internal }) => !internal));
  const found = outside.find(({ family }) => family === "IPv4") ?? outside.find(({ scopeid }) => !scopeid);
  if (found === undefined) return address;
  return found.family === "IPv6" ? `[${found.address}]:${port}` : `${found.address}:${port}`;
}
