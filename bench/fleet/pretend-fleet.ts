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

interface Account {
  readonly results: number;
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
   * @param answers `null` for workers that leave their leases alone
   */
  async join(address: string, count: number, answers: Answers | null): Promise<void> {
    const each = Math.ceil(count / this.#sides.length);
    await this.#ask((i) => {
      const first = i * each;
      return { join: { address, first, count: Math.min(each, count - first), answers } };
    });
  }

  /** From now on each lease is answered at once. */
  async answer(): Promise<void> {
    await this.#ask(() => ({ answer: true }));
  }

  /** @throws Error when a worker was lost */
  async results(): Promise<number> {
    return (await this.#ask(() => ({}))).reduce((sum, { results }) => sum + results, 0);
  }

  end(): void {
    for (const side of this.#sides) side.stop();
  }

  async #ask(requestOf: (side: number) => object): Promise<Account[]> {
    const accounts = await Promise.all(this.#sides.map((side, i) => side.ask<Account>(requestOf(i))));
    const problem = accounts.map((account) => account.problem).find((reason) => reason !== undefined);
    if (problem !== undefined) throw new Error(`a pretend worker was lost: ${problem}`);
    return accounts;
  }
}
