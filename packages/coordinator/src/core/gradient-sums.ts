import { InputError } from "@mzsr/mzsr";
import { ExactSum, ExactSums, mostSums, type SumBytes, type SumRejection } from "@mzsr/shared";
import type { TaskEntry } from "./task-entry.js";

/** Into how many shares a step's workers are divided at most. */
const SHARES = 4;

/** What some of a step's workers sent, added up. */
interface Share {
  readonly sum: ExactSum;
  readonly tasks: Set<TaskEntry>;
}

/** The gradients of one step that count. */
interface StepSums {
  readonly shares: Share[];
  readonly shareOf: Map<string, Share>;
  /** What audits found right or decided on: it stays, whatever becomes of who sent it. */
  confirmed: Share | undefined;
}

/**
 * The gradients of the open steps, added up exactly as they come, so that none has to be kept: the bits depend neither on
 * their order nor on what was added up with what before (docs/design.md §6).
 *
 * A worker that turns out to compute wrong numbers is taken out with its whole share of a step. So each share holds only
 * some workers' results; those of the others in it are computed again.
 */
export class GradientSums {
  readonly #size: number;
  readonly #maxNorm: number;
  readonly #sums: ExactSums;
  readonly #shares: number;
  readonly #steps = new Map<number, StepSums>();

  /**
   * @param size elements of a gradient
   * @param openSteps that are computed at a time, at most
   * @param maxNorm largest L2 norm of a gradient
   * @throws InputError when WebAssembly cannot hold the sums
   */
  constructor(size: number, openSteps: number, maxNorm: number) {
    const perStep = Math.min(SHARES + 1, Math.floor((mostSums(size) - 1) / openSteps));
    if (perStep < 2) {
      throw new InputError(`the sums of ${size} parameters do not fit into 4 GiB for ${openSteps} steps at a time`, {
        expected: "a smaller model, or a smaller cluster.pipeline",
      });
    }
    this.#size = size;
    this.#maxNorm = maxNorm;
    this.#shares = perStep - 1;
    this.#sums = new ExactSums(size, openSteps * perStep + 1);
  }

  /** Why the gradient cannot be in a sum, or `undefined`. Adds it to none. */
  validate(gradient: Uint8Array): SumRejection | undefined {
    const sum = this.#sums.open();
    const rejection = sum.add(gradient, this.#maxNorm);
    sum.release();
    return rejection;
  }

  /** Adds a task's gradient from `worker`. @returns why it was not added, or `undefined` */
  add(entry: TaskEntry, worker: string, gradient: Uint8Array): SumRejection | undefined {
    const share = this.#shareOf(entry.task.step, worker);
    const rejection = share.sum.add(gradient, this.#maxNorm);
    if (!rejection) share.tasks.add(entry);
    return rejection;
  }

  /** Adds the sum of some tasks of one step. @returns why it was not added, or `undefined` */
  addGroup(entries: readonly TaskEntry[], worker: string, group: SumBytes): SumRejection | undefined {
    const share = this.#shareOf(entries[0]!.task.step, worker);
    const rejection = share.sum.addGroup(group, this.#maxNorm);
    if (!rejection) for (const entry of entries) share.tasks.add(entry);
    return rejection;
  }

  /** Adds a gradient that is known to be right, and valid. */
  addConfirmed(entry: TaskEntry, gradient: Uint8Array): void {
    const open = this.#step(entry.task.step);
    open.confirmed ??= this.#newShare();
    const rejection = open.confirmed.sum.add(gradient, this.#maxNorm);
    if (rejection) throw new RangeError(`a gradient that was let in ${rejection.reason}`);
    open.confirmed.tasks.add(entry);
  }

  /** Takes all out that `worker` sent and nobody confirmed. @returns the tasks that have to be computed again, others' among them */
  takeOut(worker: string): TaskEntry[] {
    return [...this.#steps.values()].flatMap((open) => {
      const share = open.shareOf.get(worker);
      if (!share) return [];
      const tasks = [...share.tasks];
      share.tasks.clear();
      share.sum.clear();
      return tasks;
    });
  }

  /**
   * The mean over a step's tasks, all of which have been added: (Σ hi + Σ lo) / n.
   * @throws RangeError when there are none
   */
  mean(step: number): Float64Array {
    const { shares, confirmed } = this.#step(step);
    const all = confirmed ? [confirmed, ...shares] : shares;
    return ExactSum.mean(
      all.map(({ sum }) => sum),
      new Float64Array(this.#size),
    );
  }

  /** The step is over: forgets it. */
  close(step: number): void {
    const open = this.#steps.get(step);
    if (!open) return;
    for (const { sum } of open.shares) sum.release();
    open.confirmed?.sum.release();
    this.#steps.delete(step);
  }

  #step(step: number): StepSums {
    let open = this.#steps.get(step);
    if (!open) {
      open = { shares: [], shareOf: new Map(), confirmed: undefined };
      this.#steps.set(step, open);
    }
    return open;
  }

  /** Workers are dealt out to the shares in the order in which they come. */
  #shareOf(step: number, worker: string): Share {
    const { shares, shareOf } = this.#step(step);
    let share = shareOf.get(worker);
    if (!share) {
      if (shares.length < this.#shares) shares.push(this.#newShare());
      share = shares[shareOf.size % this.#shares]!;
      shareOf.set(worker, share);
    }
    return share;
  }

  #newShare(): Share {
    return { sum: this.#sums.open(), tasks: new Set() };
  }
}
