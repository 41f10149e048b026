/** The scheduler's indexes decide what the plain rules decide, whatever happens. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { CoreHarness, type JoinedWorker, smallOutcome } from "../testing/core-harness.js";
import { PlainRules, placeOf } from "../testing/plain-rules.js";
import { type Grant, LEASE_KIND } from "./dispatch.js";
import type { GrantedLease, OpenStep } from "./leases.js";
import type { Member } from "./membership.js";
import { Scheduler, type SchedulerParts } from "./scheduler.js";

const PATIENCE = 2;

/** Compares every answer with the plain rules'. */
class ComparedScheduler extends Scheduler {
  readonly #parts: SchedulerParts;
  readonly #announced = new Map<string, string>();
  #nowMs = 0;
  compared = 0;
  readonly kinds = new Set<string>();

  constructor(parts: SchedulerParts) {
    super(parts);
    this.#parts = parts;
  }

  override dispatch(nowMs: number): readonly Grant[] {
    this.#nowMs = nowMs;
    const plain = this.#plain(nowMs);
    expect(plain.decidableAudits(PATIENCE * 1000)).toEqual([]);
    const expected = plain.dispatch();
    const grants = super.dispatch(nowMs);
    const given = grants.map(({ entry, member, reason }) => ({
      place: placeOf(entry.task),
      worker: member.worker,
      kind: LEASE_KIND[reason],
    }));
    expect(given).toEqual(expected);
    for (const { kind } of given) this.kinds.add(kind);
    this.compared++;
    return grants;
  }

  override granted(grant: Grant): void {
    this.#announced.delete(placeOf(grant.entry.task));
    super.granted(grant);
  }

  override announce(ahead: () => OpenStep | undefined): ReadonlyMap<Member, OpenStep["entries"][number]["task"][]> {
    const tasks = () => ahead()?.entries.map(({ task }) => task) ?? [];
    const expected = this.#plain(this.#nowMs).announce(tasks);
    const told = super.announce(ahead);
    expect([...told].map(([{ worker }, each]) => [worker, each.map(placeOf)])).toEqual([...expected]);
    return told as ReadonlyMap<Member, OpenStep["entries"][number]["task"][]>;
  }

  override overdue(nowMs: number): readonly GrantedLease[] {
    const leases = super.overdue(nowMs);
    expect(leases.map(({ id }) => id)).toEqual(this.#plain(nowMs).overdue());
    return leases;
  }

  override isOver(lease: GrantedLease, nowMs: number): boolean {
    const over = super.isOver(lease, nowMs);
    expect(over).toBe(this.#plain(nowMs).isOver(lease));
    return over;
  }

  override nextMs(nowMs: number): number {
    const next = super.nextMs(nowMs);
    expect(next).toBe(this.#plain(nowMs).nextMs());
    return next;
  }

  #plain(nowMs: number): PlainRules {
    return new PlainRules(this.#parts, this.#announced, nowMs);
  }
}

const WORKERS = 6;
const worker = fc.nat(WORKERS - 1);

/** What happens to one of the workers, or to all: as numbers, so that a failing run shrinks to few of them. */
const happening = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      type: fc.constant("join"),
      worker,
      slots: fc.integer({ min: 1, max: 3 }),
      other: fc.nat(4),
    }),
  },
  { weight: 12, arbitrary: fc.record({ type: fc.constant("answer"), worker, lease: fc.nat(2), wrong: fc.nat(19) }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant("fail"), worker }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant("drop"), worker }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant("goodbye"), worker }) },
  {
    weight: 6,
    arbitrary: fc.record({
      type: fc.constant("pass"),
      ms: fc.integer({ min: 1, max: 1500 }),
      silent: fc.nat(3 * WORKERS),
    }),
  },
  { weight: 1, arbitrary: fc.record({ type: fc.constant("pause"), ms: fc.integer({ min: 2500, max: 9000 }) }) },
);

type Happening = typeof happening extends fc.Arbitrary<infer T> ? T : never;

class Life {
  readonly cluster: CoreHarness;
  readonly #workers = new Map<number, JoinedWorker>();
  readonly #starts = new Map<number, number>();

  constructor(cluster: CoreHarness) {
    this.cluster = cluster;
  }

  happen(event: Happening): void {
    const joined = "worker" in event ? this.#workers.get(event.worker) : undefined;
    if ("slots" in event) this.#join(event.worker, event.slots, event.other);
    else if ("silent" in event) this.#pass(event.ms, event.silent);
    else if ("ms" in event) this.#pause(event.ms);
    else if (joined && "lease" in event) this.#answer(joined, event.lease, event.wrong === 0);
    else if (joined && event.type === "fail" && joined.leases.length > 0) this.cluster.fail(joined, "out of memory");
    else if (joined && event.type === "drop") this.cluster.drop(joined);
    else if (joined && event.type === "goodbye") {
      this.cluster.send({ type: "goodbye", session: joined.session, reason: "SIGTERM" });
    }
    this.cluster.core.nextWakeMs(this.cluster.nowMs);
  }

  /** @param other 0: another process of the name; 1: another backend */
  #join(number: number, slots: number, other: number): void {
    if (other === 0) this.#starts.set(number, (this.#starts.get(number) ?? 0) + 1);
    const incarnation = `${number}#${this.#starts.get(number) ?? 0}`;
    const backend = other === 1 ? "cuda" : "simd";
    this.#workers.set(number, this.cluster.join(`worker-${number}`, { slots, incarnation, backend }));
  }

  #answer(joined: JoinedWorker, at: number, wrong: boolean): void {
    const lease = joined.leases[at % Math.max(1, joined.leases.length)];
    if (!lease) return;
    const { gradient } = smallOutcome(lease.task);
    this.cluster.answer(joined, wrong ? { gradient: gradient.map((value) => value + 1) } : {}, lease);
  }

  #pass(ms: number, silent: number): void {
    this.cluster.nowMs += ms;
    for (const [number, { name, incarnation }] of this.#workers) {
      if (number === silent) continue;
      this.cluster.send({ type: "heartbeat", worker: name, incarnation, via: "nats", busySlots: 0 });
    }
    this.cluster.send({ type: "tick" });
  }

  #pause(ms: number): void {
    this.cluster.nowMs += ms;
    this.cluster.send({ type: "tick" });
  }
}

describe("what is given and told to whom, and when leases are over", () => {
  it("is what the plain rules say after any events", () => {
    const kinds = new Set<string>();
    let compared = 0;
    const settings = fc.record({
      pipeline: fc.nat(2),
      tasks: fc.integer({ min: 1, max: 7 }),
      auditShare: fc.constantFrom(0, 0.3, 1),
      mixedBackends: fc.boolean(),
    });
    const events = fc.array(happening, { minLength: 30, maxLength: 120, size: "max" });
    fc.assert(
      fc.property(settings, events, ({ tasks, ...cluster }, happenings) => {
        let scheduler: ComparedScheduler | undefined;
        const life = new Life(
          new CoreHarness({
            tasks,
            steps: 20,
            pretrainingSteps: 2,
            cluster: { patience: PATIENCE, ...cluster },
            scheduler: (parts) => {
              scheduler = new ComparedScheduler(parts);
              return scheduler;
            },
          }),
        );
        for (const event of happenings) life.happen(event);
        compared += scheduler!.compared;
        for (const kind of scheduler!.kinds) kinds.add(kind);
      }),
      { numRuns: 100, seed: 20 },
    );
    expect(compared).toBeGreaterThan(5000);
    expect([...kinds].sort()).toEqual(["again", "audit", "backup", "first", "trial"]);
  }, 120_000);
});
