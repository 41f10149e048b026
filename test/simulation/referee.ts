/** Watches a simulated run and writes down every promise that is broken. */
import { type CoordinatorCore, type CoordinatorEffect, RunSchedule, sha256OfFloats } from "@mzsr/coordinator";
import type { Configuration, Task } from "@mzsr/shared";
import { quietRun } from "./toy-problem.js";

export class Referee {
  readonly violations: string[] = [];
  readonly #schedule: RunSchedule;
  readonly #patience: number;
  readonly #thetas: readonly Float32Array[];
  /** θ hash before each step of the quiet run. */
  readonly #hashes: readonly string[];
  /** Someone computed a wrong number and nobody was there to check it: bits are no longer promised. */
  #unchecked = false;
  /** Of the coordinator's present life. */
  #nextStep = 0;
  #openLeases = 0;
  ended: { readonly complete: boolean; readonly failure?: string | undefined } | undefined;
  finalHash = "";
  readonly counts: Record<string, number> = {};

  constructor(configuration: Configuration) {
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
    for (const effect of effects) this.#effect(effect);
    const { leases, workers, phase } = core.status(nowMs);
    this.#expect(
      leases.leased === this.#openLeases,
      `${this.#openLeases} leases are open, the board has ${leases.leased}`,
    );
    const silent = workers.find((w) => w.state === "active" && w.lastHeartbeatAgoSeconds! > this.#patience);
    this.#expect(phase === "finished" || !silent, `${silent?.worker} counts as active and is silent`);
    const idle = workers.filter(({ state, busySlots, slots }) => state === "active" && busySlots < slots);
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

  expect(kept: boolean, promise: string): void {
    this.#expect(kept, promise);
  }

  #effect(effect: CoordinatorEffect): void {
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
        if (effect.event.kind === "lost" || effect.event.kind === "quarantine")
          this.#count(`worker ${effect.event.kind}`);
        break;
      case "step":
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
