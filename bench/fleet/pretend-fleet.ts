/** Pretend workers in processes of their own. */
import { fileURLToPath } from "node:url";
import { type Side, startSide } from "../peer.js";

const PRETEND_WORKERS = fileURLToPath(new URL("../sides/pretend-workers.mjs", import.meta.url));
/** Connections that one process holds at most. */
const WORKERS_PER_PROCESS = 1024;

/** What an answer to a lease is made of. */
export interface Answers {
  /** Elements of a gradient. */
  readonly parameters: number;
  /** Different gradients, by task index. */
  readonly tasks: number;
  readonly supportLosses: number;
  readonly queryLosses: number;
}

/** Where the coordinator listens, and paths of what workers show it and believe of it; plain text without them. */
export interface Target {
  readonly address: string;
  readonly tls?: { readonly ca: string; readonly cert: string; readonly key: string } | undefined;
}

interface Account {
  /** Why a worker was lost, if one was. */
  readonly problem?: string;
}

export class PretendFleet {
  readonly #sides: readonly Side[];

  private constructor(sides: readonly Side[]) {
    this.#sides = sides;
  }

  static start(count: number, core: string): PretendFleet {
    const processes = Math.ceil(count / WORKERS_PER_PROCESS);
    return new PretendFleet(
      Array.from({ length: processes }, () => startSide(core, process.execPath, [PRETEND_WORKERS])),
    );
  }

  /**
   * Resolves when all have been welcomed. Leases wait until `answer`, so that none is busy before all are there.
   * @param heartbeatSeconds between two heartbeats of a worker; 0 for none
   * @param slots tasks that a worker computes at a time; more than one are answered with their sum
   * @param answers `null` for workers that leave their leases alone
   */
  async join(
    { address, tls }: Target,
    count: number,
    slots: number,
    heartbeatSeconds: number,
    answers: Answers | null,
  ): Promise<void> {
    const each = Math.ceil(count / this.#sides.length);
    await this.#ask((i) => {
      const first = i * each;
      return { join: { address, tls, first, count: Math.min(each, count - first), slots, heartbeatSeconds, answers } };
    });
  }

  /** From now on each lease is answered at once. */
  async answer(): Promise<void> {
    await this.#ask(() => ({ answer: true }));
  }

  /** Why a worker was lost, if one was. */
  async problem(): Promise<string | undefined> {
    const accounts = await Promise.all(this.#sides.map((side) => side.ask<Account>({})));
    return problemIn(accounts);
  }

  end(): void {
    for (const side of this.#sides) side.stop();
  }

  /** @throws Error when a worker was lost */
  async #ask(requestOf: (side: number) => object): Promise<void> {
    const accounts = await Promise.all(this.#sides.map((side, i) => side.ask<Account>(requestOf(i))));
    const problem = problemIn(accounts);
    if (problem !== undefined) throw new Error(problem);
  }
}

function problemIn(accounts: readonly Account[]): string | undefined {
  const problem = accounts.map((account) => account.problem).find((reason) => reason !== undefined);
  return problem && `a pretend worker was lost: ${problem}`;
}
