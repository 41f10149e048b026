import type { Task } from "@mzsr/shared";
import type { SessionId } from "./events.js";
import type { Member } from "./membership.js";

/**
 * Who has been told of which task ahead of its lease. A worker that knows what comes next makes the task's data while it
 * would otherwise wait: for the step's last result, for θ, for a message. Only a hint: dispatch honours it where that
 * costs nothing, the task may still go to anybody, and nothing waits for it.
 */
export class Announcements {
  readonly #told = new Map<string, SessionId>();

  /** The session that was told of the task, as far as it has not been leased since. */
  sessionOf(task: Task): SessionId | undefined {
    return this.#told.get(placeOf(task));
  }

  /** The task has been given to somebody. */
  leased(task: Task): void {
    this.#told.delete(placeOf(task));
  }

  /**
   * What to tell now: the next tasks that nobody was told of, to workers that know of fewer tasks than they have slots.
   *
   * @param upcoming tasks without a lease, the next one first; read only as far as there is room
   * @param workers that may be given tasks
   */
  next(upcoming: Iterable<Task>, workers: readonly Member[]): Map<Member, Task[]> {
    const room = this.#room(workers);
    const news = new Map<Member, Task[]>();
    if (room.size === 0) return news;
    for (const task of upcoming) {
      if (this.#told.has(placeOf(task))) continue;
      const [member, free] = widest(room);
      if (free === 1) room.delete(member);
      else room.set(member, free - 1);
      this.#told.set(placeOf(task), member.session!);
      news.set(member, [...(news.get(member) ?? []), task]);
      if (room.size === 0) break;
    }
    return news;
  }

  /** Tasks that each worker may still be told of; those told to sessions that are gone are forgotten. */
  #room(workers: readonly Member[]): Map<Member, number> {
    const known = new Map<SessionId, number>(workers.map(({ session }) => [session!, 0]));
    for (const [place, session] of this.#told) {
      const count = known.get(session);
      if (count === undefined) this.#told.delete(place);
      else known.set(session, count + 1);
    }
    const free = workers.map((member) => [member, member.hello.slots - known.get(member.session!)!] as const);
    return new Map(free.filter(([, count]) => count > 0));
  }
}

function placeOf({ step, index }: Task): string {
  return `${step}/${index}`;
}

/** The member with most room; of several, the one that came first. */
function widest(room: ReadonlyMap<Member, number>): [Member, number] {
  return [...room].reduce((best, each) => (each[1] > best[1] ? each : best));
}
