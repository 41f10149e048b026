import type { Task } from "@mzsr/shared";
import type { SessionId } from "./events.js";
import type { TaskBoard } from "./leases.js";
import type { Member } from "./membership.js";

/**
 * Who has been told of which task ahead of its lease. A worker that knows what comes next makes the task's data while it
 * would otherwise wait: for the step's last result, for θ, for a message. Only a hint: dispatch honours it where that
 * costs nothing, the task may still go to anybody, and nothing waits for it.
 */
export class Announcements {
  readonly #announced = new Map<string, SessionId>();

  /** The session that was told of the task, as far as it has not been leased since. */
  sessionOf(task: Task): SessionId | undefined {
    return this.#announced.get(placeOf(task));
  }

  /** The task has been given to somebody. */
  leased(task: Task): void {
    this.#announced.delete(placeOf(task));
  }

  /**
   * What to tell now: the next tasks that nobody was told of, to the workers whose slots will be free first, a slot a task.
   *
   * @param upcoming tasks without a lease, the next one first; read only as far as there is room
   * @param workers that may be given tasks
   * @param board with their leases
   */
  next(upcoming: Iterable<Task>, workers: readonly Member[], board: Pick<TaskBoard, "leasesOf">): Map<Member, Task[]> {
    const slots = this.#unannouncedSlots(workers, board);
    const announcements = new Map<Member, Task[]>();
    if (slots.length === 0) return announcements;
    for (const task of upcoming) {
      if (this.#announced.has(placeOf(task))) continue;
      const { member } = slots.shift()!;
      this.#announced.set(placeOf(task), member.session!);
      announcements.set(member, [...(announcements.get(member) ?? []), task]);
      if (slots.length === 0) break;
    }
    return announcements;
  }

  /** In the order in which they will be free. What was told to sessions that are gone is forgotten. */
  #unannouncedSlots(workers: readonly Member[], board: Pick<TaskBoard, "leasesOf">): Slot[] {
    const known = new Map<SessionId, number>(workers.map(({ session }) => [session!, 0]));
    for (const [place, session] of this.#announced) {
      const count = known.get(session);
      if (count === undefined) this.#announced.delete(place);
      else known.set(session, count + 1);
    }
    const slots = workers.flatMap((member) => slotsOf(member, board).slice(known.get(member.session!)));
    return slots.sort((a, b) => a.freeMs - b.freeMs);
  }
}

/** A place for one task at a time. */
interface Slot {
  readonly member: Member;
  /** When its task will be done, if it takes as long as the worker's last ones; 0 when it has none. */
  readonly freeMs: number;
}

function slotsOf(member: Member, board: Pick<TaskBoard, "leasesOf">): Slot[] {
  const taskMs = 1000 * (member.secondsPerTask ?? 0);
  const ends = board.leasesOf(member.session!).map(({ grantedMs }) => grantedMs + taskMs);
  const free = Array.from({ length: member.hello.slots }, (_, slot) => ends[slot] ?? 0);
  return free.sort((a, b) => a - b).map((freeMs) => ({ member, freeMs }));
}

function placeOf({ step, index }: Task): string {
  return `${step}/${index}`;
}
