/**
 * Several hosts on one machine: network namespaces on a switch in a namespace of its own. Nothing of the machine's own
 * network is touched, and nothing leaves it.
 */
import { spawnSync } from "node:child_process";

const IP = "ip";
const NETWORK = "10.77.0";

/** Whether network namespaces can be made here; tests that need them skip themselves otherwise. */
export function canMakeHosts(): boolean {
  const probe = `mzsr-${process.pid}-probe`;
  const made = spawnSync(IP, ["netns", "add", probe]);
  if (made.status === 0) spawnSync(IP, ["netns", "delete", probe]);
  else {
    const reason = made.error?.message ?? made.stderr.toString().trim();
    console.warn(`network namespaces cannot be made here (${reason}): the test of several hosts is skipped`);
  }
  return made.status === 0;
}

export class Hosts {
  readonly #prefix = `mzsr-${process.pid}`;
  readonly #addresses = new Map<string, string>();

  /** @param names of the hosts; each gets the next address */
  constructor(names: readonly string[]) {
    const hub = this.#namespace("switch");
    run("netns", "add", hub);
    run("-n", hub, "link", "add", "name", "hub", "type", "bridge");
    run("-n", hub, "link", "set", "hub", "up");
    for (const name of names) this.#add(name, `${NETWORK}.${this.#addresses.size + 1}`);
  }

  address(name: string): string {
    return this.#addresses.get(name)!;
  }

  /** What to put before a command for it to run on a host. */
  on(name: string): string[] {
    return [IP, "netns", "exec", this.#namespace(name)];
  }

  /** Pulls a host's cable, or puts it back. */
  cable(name: string, plugged: boolean): void {
    run("-n", this.#namespace("switch"), "link", "set", portOf(name), plugged ? "up" : "down");
  }

  /** Takes all of them away; what still runs on them goes on without a network. */
  remove(): void {
    for (const name of [...this.#addresses.keys(), "switch"]) run("netns", "delete", this.#namespace(name));
  }

  #add(name: string, address: string): void {
    const [host, hub] = [this.#namespace(name), this.#namespace("switch")];
    run("netns", "add", host);
    this.#addresses.set(name, address);
    run("-n", hub, "link", "add", "name", portOf(name), "type", "veth", "peer", "name", "eth0", "netns", host);
    run("-n", hub, "link", "set", portOf(name), "master", "hub", "up");
    run("-n", host, "link", "set", "lo", "up");
    run("-n", host, "address", "add", `${address}/24`, "dev", "eth0");
    run("-n", host, "link", "set", "eth0", "up");
  }

  #namespace(name: string): string {
    return `${this.#prefix}-${name}`;
  }
}

/** The switch's end of a host's cable. */
function portOf(name: string): string {
  return `port-${name}`;
}

function run(...args: string[]): void {
  const { status, stderr, error } = spawnSync(IP, args);
  if (status !== 0) throw new Error(`ip ${args.join(" ")}: ${error?.message ?? stderr.toString().trim()}`);
}
