/** Watches a simulated run and writes down every promise that is broken. */
import { type CoordinatorCore, type CoordinatorEffect, RunSchedule, sha256OfFloats } from "@mzsr/coordinator";
import type { RunEvent, Task } from "@mzsr/shared";
import { BLAMELESS, type Scenario, SLOWDOWN, SLOWNESS } from "./scenario.js";
import { quietRun } from "./toy-problem.js";

/** After the last fault, everybody has noticed everything by then. */
const SETTLED_MS = 60_000;

export class Referee {
  readonly violations: string[] = [];
  readonly #schedule: RunSchedule;
  readonly #patience: number;
  readonly #thetas: readonly Float32Array[];
  /** θ hash before each step of the quiet run. */
  readonly #hashes: readonly string[];
  /** Someone computed a wrong number and nobody was there to check it: bits are no longer promised. */
  #unchecked: boolean;
  /** Events from one look at the whole cluster to the next: it costs as much as there are workers. */
  readonly #lookEvery: number;
  #events = 0;
  readonly #blameless: ReadonlySet<string>;
  readonly #settledMs: number;
  readonly #longestUsualMs: number;
  /** Since when the present step is due. */
  #dueMs: number;
  /** The longest step of a settled run, as a share of its bound. */
  slowest = 0;
  /** Of the coordinator's present life. */
  #nextStep = 0;
  #openLeases = 0;
  ended: { readonly complete: boolean; readonly failure?: string | undefined } | undefined;
  finalHash = "";
  readonly counts: Record<string, number> = {};

  constructor({ configuration, workers, calmFromMs, taskMs, sendMs, unwatched }: Scenario, startMs: number) {
    this.#unchecked = unwatched;
    this.#lookEvery = Math.ceil(workers.length / 20);
    this.#blameless = new Set(workers.filter((each) => BLAMELESS.has(each.character)).map(({ name }) => name));
    // Where slow workers are in the majority, theirs is the usual time.
    const slowness = Math.max(...workers.map(({ character }) => SLOWNESS[character] ?? 1));
    // Results of a worker that are ready together wait for each other's messages.
    const messages = Math.max(...workers.map(({ slots }) => slots));
    this.#longestUsualMs = Math.max(1000, slowness * 1.3 * taskMs + messages * sendMs);
    this.#settledMs = startMs + calmFromMs + SETTLED_MS + SLOWDOWN * 1.3 * taskMs;
    this.#dueMs = this.#settledMs;
    this.#schedule = new RunSchedule(configuration);
    this.#patience = configuration.cluster.patience;
    this.#thetas = quietRun(configuration);
    this.#hashes = this.#thetas.map(sha256OfFloats);
  }

  get expectedHash(): string {
    return this.#hashes.at(-1)!;
  }

  get bitsPromised(): boolean {
    return !this.#unchecked;
  }

  /** A coordinator starts from a checkpoint. */
  lifeBegins(step: number): void {
    this.#nextStep = step + 1;
    this.#openLeases = 0;
  }

  /** A flipper was at work while audits could not see it. */
  auditSkipped(flippers: boolean): void {
    if (flippers) this.#unchecked = true;
  }

  effects(core: CoordinatorCore, effects: readonly CoordinatorEffect[], nowMs: number): void {
    for (const effect of effects) this.#effect(effect, nowMs);
    this.#progresses(nowMs);
    if (this.#events++ % this.#lookEvery === 0) this.#lookAt(core, nowMs);
  }

  #lookAt(core: CoordinatorCore, nowMs: number): void {
    const { leases, workers, phase } = core.status(nowMs);
    this.#expect(
      leases.leased === this.#openLeases,
      `${this.#openLeases} leases are open, the board has ${leases.leased}`,
    );
    const silent = workers.find((w) => w.state === "active" && w.lastHeartbeatAgoSeconds! > this.#patience);
    this.#expect(phase === "finished" || !silent, `${silent?.worker} counts as active and is silent`);
    const active = workers.filter(({ state }) => state === "active");
    const trusted = active.filter(({ reason }) => !reason.startsWith("on trial"));
    const eligible = trusted.length > 0 ? trusted : active;
    const idle = eligible.filter(({ busySlots, slots }) => busySlots < slots);
    const begrudged = phase === "training" && leases.pending > 0 && idle.length > 0;
    this.#expect(!begrudged, `${leases.pending} tasks wait while ${idle[0]?.worker} is idle`);
    for (const each of workers) {
      this.#expect(each.busySlots <= each.slots, `${each.worker} has ${each.busySlots} leases for ${each.slots} slots`);
    }
  }

  /** A worker starts a task from `theta`. */
  computeBegins(task: Task, theta: Float32Array): void {
    const expected = this.#thetas[task.parametersStep]!;
    const same = theta.every((value, i) => value === expected[i]);
    this.#expect(same || this.#unchecked, `step ${task.step} task ${task.index} starts from the wrong parameters`);
  }

  /** A worker sends results added up. */
  groupSent(): void {
    this.#count("group");
  }

  expect(kept: boolean, promise: string): void {
    this.#expect(kept, promise);
  }

  /**
   * With an honest worker there, a step takes no longer than it would need to compute all tasks one after the other, and
   * then to give up on everybody who was to check them.
   */
  #progresses(nowMs: number): void {
    if (this.ended) return;
    const tasks = this.#schedule.tasksOf(Math.min(this.#nextStep, this.#schedule.totalSteps) - 1);
    const boundMs = (4 * this.#patience + 2 * tasks) * this.#longestUsualMs;
    const waitedMs = nowMs - this.#dueMs;
    this.slowest = Math.max(this.slowest, waitedMs / boundMs);
    this.#expect(waitedMs <= boundMs, `step ${this.#nextStep} has taken ${(waitedMs / 1000).toFixed(0)} s`);
  }

  /** Slowness, silence of the network and bad company are nobody's fault. */
  #event({ kind, worker, reason }: RunEvent): void {
    if (kind === "trial" && reason.startsWith("begins")) this.#count("trial");
    if (kind === "lost" || kind === "quarantine") this.#count(`worker ${kind}`);
    if (kind === "quarantine") this.#expect(!this.#blameless.has(worker!), `${worker} was quarantined ${reason}`);
  }

  #effect(effect: CoordinatorEffect, nowMs: number): void {
    switch (effect.type) {
      case "assign":
        this.#openLeases += effect.leases.length;
        break;
      case "taskEnded":
        if (effect.outcome !== "late" && effect.outcome !== "dropped") this.#openLeases--;
        this.#count(effect.outcome);
        break;
      case "audit":
        this.#count(`audit ${effect.result}`);
        break;
      case "event":
        this.#event(effect.event);
        break;
      case "step":
        this.#dueMs = Math.max(nowMs, this.#settledMs);
        this.#step(effect.summary);
        break;
      case "checkpoint":
        this.#expect(effect.state.step === effect.step, `checkpoint ${effect.step} holds step ${effect.state.step}`);
        this.#expect(
          this.#isRight(effect.step, sha256OfFloats(effect.state.theta)),
          `checkpoint ${effect.step} is wrong`,
        );
        break;
      case "ended":
        this.ended = { complete: effect.complete, failure: effect.failure };
        break;
    }
  }

  #step({ step, tasks, thetaSha256 }: { step: number; tasks: number; thetaSha256: string }): void {
    this.#expect(step === this.#nextStep, `step ${step} came where ${this.#nextStep} was due`);
    this.#nextStep = step + 1;
    this.#expect(tasks === this.#schedule.tasksOf(step - 1), `step ${step} reduced ${tasks} tasks`);
    this.#expect(this.#isRight(step, thetaSha256), `the parameters after step ${step} are not the quiet run's`);
    this.finalHash = thetaSha256;
  }

  #count(name: string): void {
    this.counts[name] = (this.counts[name] ?? 0) + 1;
  }

  #isRight(step: number, hash: string): boolean {
    return this.#unchecked || hash === this.#hashes[step];
  }

  #expect(kept: boolean, promise: string): void {
    if (!kept && this.violations.length < 20) this.violations.push(promise);
  }
}
