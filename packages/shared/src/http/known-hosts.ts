/**
 * Which names a server answers to. A page from elsewhere can make its own name lead to this machine (DNS rebinding) and
 * read what is here through a visitor's browser; the browser then says that page's name in `Host`. So a server answers to
 * addresses, to names that nobody else can make lead here, and to those that it was told.
 */
import { isIP } from "node:net";
import { hostname } from "node:os";

/** Reserved for networks of one's own: no registry sells a name below them. */
const PRIVATE = ["*.local", "*.internal", "*.svc"];

/** Names of hosts: `*.example.org` stands for all below it, `*` for every name. */
export class HostNames {
  readonly #exact: ReadonlySet<string>;
  /** Each begins with a dot. */
  readonly #endings: readonly string[];

  constructor(names: readonly string[]) {
    const all = names.map(plain);
    this.#exact = new Set(all);
    this.#endings = all.filter((name) => name.startsWith("*.")).map((name) => name.slice(1));
  }

  /** @param host without a port */
  has(host: string): boolean {
    const name = plain(host);
    if (this.#exact.has(name) || this.#exact.has("*")) return true;
    return this.#endings.some((ending) => name.length > ending.length && name.endsWith(ending));
  }
}

export class KnownHosts {
  readonly #names: HostNames;
  readonly #beyondThisMachine: boolean;

  /**
   * @param listensOn the interface that is listened on
   * @param allowed further names, as `HostNames` takes them
   */
  constructor(listensOn: string, allowed: readonly string[] = [], ownName = hostname()) {
    const short = ownName.split(".")[0]!;
    this.#beyondThisMachine = !isLoopback(listensOn);
    const own = ["localhost", "*.localhost", ownName, short, `${short}.local`, listensOn];
    this.#names = new HostNames([...own, ...allowed, ...(this.#beyondThisMachine ? PRIVATE : [])]);
  }

  /** @param header the request's `Host`; a browser always sends one */
  accepts(header: string | undefined): boolean {
    if (header === undefined) return true;
    const host = withoutPort(header);
    if (isIP(host) !== 0 || this.#names.has(host)) return true;
    // The name of a container or service has no dot. Of a server for this machine alone it is nobody's.
    return this.#beyondThisMachine && /^[\w-]+$/.test(host);
  }
}

/** Whether an interface, address or name leads to the machine itself. */
export function isLoopback(host: string): boolean {
  const name = plain(host);
  return name === "localhost" || name === "::1" || /^(::ffff:)?127(\.\d{1,3}){3}$/.test(name);
}

/** The host of `host`, `host:port`, `[v6]` or `[v6]:port`, without brackets. */
export function withoutPort(authority: string): string {
  return /^\[([^\]]*)\](?::\d+)?$/.exec(authority)?.[1] ?? authority.replace(/:\d+$/, "");
}

function plain(name: string): string {
  return name.trim().toLowerCase().replace(/\.$/, "");
}
