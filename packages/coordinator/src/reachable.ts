import { hostname } from "node:os";

/**
 * What others can connect to, of an address that is listened on: every interface is none that has a name.
 * @param address host:port
 * @param advertise how this machine is reached, where that is known
 */
export function reachable(address: string, listensOn: string, advertise?: string | undefined): string {
  const port = address.slice(address.lastIndexOf(":") + 1);
  if (advertise !== undefined) return `${advertise}:${port}`;
  const everywhere = listensOn === "0.0.0.0" || listensOn === "::";
  return everywhere ? `${hostname()}:${port}` : address;
}
