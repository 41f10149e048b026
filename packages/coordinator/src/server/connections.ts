/**
 * Which connections a listener keeps. A connection is a stranger's until a worker has introduced itself on it: strangers cost
 * memory and have shown nothing, so there are only so many of them from one address, and each has only so much time. Where
 * one too many comes, the oldest goes: behind one address there may be a thousand honest workers that reconnect at once, and
 * those are strangers for moments. Workers' connections are only limited in all.
 */
interface Stranger {
  readonly peer: string;
  readonly address: string;
  readonly sinceMs: number;
}

export interface ConnectionLimits {
  /** Strangers' connections from one address. */
  readonly strangersPerAddress: number;
  /** How long a connection may be a stranger's, in milliseconds. */
  readonly strangerMs: number;
}

export class Connections {
  readonly #limits: ConnectionLimits;
  /** By peer; the oldest first. */
  readonly #strangers = new Map<string, Stranger>();
  /** Those of one address; the oldest first. */
  readonly #byAddress = new Map<string, Set<Stranger>>();

  constructor(limits: ConnectionLimits) {
    this.#limits = limits;
  }

  get strangers(): number {
    return this.#strangers.size;
  }

  /**
   * A connection came.
   * @param peer names it, @param address where it comes from
   * @returns the peer whose connection is to go instead
   */
  opened(peer: string, address: string, nowMs: number): string | undefined {
    const stranger = { peer, address, sinceMs: nowMs };
    const others = this.#byAddress.get(address) ?? new Set();
    this.#byAddress.set(address, others.add(stranger));
    this.#strangers.set(peer, stranger);
    if (others.size <= this.#limits.strangersPerAddress) return undefined;
    const [oldest] = others;
    this.#forget(oldest!);
    return oldest!.peer;
  }

  /** A worker has introduced itself on it, or it is gone. */
  strangerNoMore(peer: string): void {
    const stranger = this.#strangers.get(peer);
    if (stranger !== undefined) this.#forget(stranger);
  }

  /** Peers whose time is over, each told once. */
  overdue(nowMs: number): string[] {
    const late: Stranger[] = [];
    for (const stranger of this.#strangers.values()) {
      if (nowMs - stranger.sinceMs < this.#limits.strangerMs) break;
      late.push(stranger);
    }
    for (const stranger of late) this.#forget(stranger);
    return late.map(({ peer }) => peer);
  }

  #forget(stranger: Stranger): void {
    this.#strangers.delete(stranger.peer);
    const others = this.#byAddress.get(stranger.address);
    others?.delete(stranger);
    if (others?.size === 0) this.#byAddress.delete(stranger.address);
  }
}
