/**
 * A whole cluster in one process: the coordinator's core and the workers' sessions, as they run in production, under a
 * simulated clock and network that do their worst, all from one seed.
 */
import { Clock } from "./clock.js";
import { Network } from "./network.js";
import { Random } from "./random.js";
import { Referee } from "./referee.js";
import type { Fault, Scenario, WorkerPlan } from "./scenario.js";
import { type CoordinatorSurroundings, Disk, SimulatedCoordinator } from "./simulated-coordinator.js";
import { SimulatedWorker } from "./simulated-worker.js";
import { Trace } from "./trace.js";

/** Any moment will do, but a simulated run has no other. */
const START_MS = Date.UTC(2020, 5, 16);

/** A run that has not ended so long after the last fault never will. */
const LONGEST_CALM_MS = 3 * 3_600_000;

/** A run with more events than this goes round in circles. */
const MOST_EVENTS = 2_000_000;

/** After the end, every worker that is there learns of it within this time. */
const FAREWELL_MS = 60_000;

type WorkerFault = Extract<Fault, { readonly worker: string }>;

export interface SimulationResult {
  readonly seed: number;
  readonly violations: readonly string[];
  readonly finalHash: string;
  /** Faults that found something to act on. */
  readonly faults: number;
  /** Simulated. */
  readonly seconds: number;
  /** False where a flipper was at work and an audit had to be skipped, or looked at a part only. */
  readonly bitsPromised: boolean;
  /** How often what happened: ends of leases, audits, lost and quarantined workers. */
  readonly counts: Readonly<Record<string, number>>;
  /** The longest step after the last fault, as a share of the bound that it is held to. */
  readonly slowest: number;
  /** Of the trace, when one was asked for. */
  readonly digest: string;
}

/** @param write takes a line for everything that happens */
export function simulate(scenario: Scenario, write?: (line: string) => void): SimulationResult {
  return new Simulation(scenario, write).run();
}

class Simulation {
  readonly #scenario: Scenario;
  readonly #clock = new Clock(START_MS);
  readonly #random: Random;
  readonly #network: Network;
  readonly #referee: Referee;
  readonly #trace: Trace;
  readonly #around: CoordinatorSurroundings;
  readonly #workers = new Map<string, SimulatedWorker>();
  readonly #namesakes: SimulatedWorker[] = [];
  readonly #lives = new Map<string, number>();
  #coordinator: SimulatedCoordinator | undefined;
  #coordinatorLives = 0;
  #faults = 0;
  /** Until the run ended. */
  #seconds = 0;

  constructor(scenario: Scenario, write?: (line: string) => void) {
    this.#scenario = scenario;
    this.#random = new Random(scenario.seed, 2);
    this.#network = new Network(this.#clock, new Random(scenario.seed, 3), scenario.network);
    this.#referee = new Referee(scenario, START_MS);
    this.#trace = new Trace(this.#clock, write);
    this.#around = {
      configuration: scenario.configuration,
      clock: this.#clock,
      network: this.#network,
      random: this.#random,
      disk: new Disk(),
      referee: this.#referee,
      trace: this.#trace,
      flippers: scenario.workers.some(({ character }) => character === "flipping"),
    };
  }

  run(): SimulationResult {
    this.#startCoordinator();
    for (const plan of this.#scenario.workers) this.#clock.after(plan.startsMs, () => this.#startWorker(plan));
    for (const { atMs, fault } of this.#scenario.faults) this.#clock.after(atMs, () => this.#inject(fault));
    this.#letHappen();
    const { violations, finalHash, bitsPromised, counts, slowest } = this.#referee;
    const { seed } = this.#scenario;
    const seconds = this.#seconds;
    const { digest } = this.#trace;
    return { seed, violations, finalHash, faults: this.#faults, seconds, bitsPromised, counts, slowest, digest };
  }

  #letHappen(): void {
    const { referee } = this.#around;
    const untilMs = START_MS + this.#scenario.calmFromMs + LONGEST_CALM_MS;
    try {
      let events = 0;
      while (!this.#isOver && referee.violations.length === 0 && this.#clock.step(untilMs)) {
        if (++events > MOST_EVENTS) referee.expect(false, "the run goes round in circles");
      }
      this.#seconds = (this.#clock.nowMs - START_MS) / 1000;
      if (referee.violations.length === 0) this.#judgeEnd();
    } catch (error) {
      referee.expect(false, `threw ${error instanceof Error ? error.stack : error}`);
    }
  }

  get #isOver(): boolean {
    return this.#referee.ended?.complete === true || this.#referee.ended?.failure !== undefined;
  }

  #judgeEnd(): void {
    const { referee } = this.#around;
    referee.expect(this.#isOver, "the run does not end");
    if (!this.#isOver) return;
    referee.expect(referee.ended?.complete === true, `the run gave up: ${referee.ended?.failure}`);
    const right = referee.finalHash === referee.expectedHash || !referee.bitsPromised;
    referee.expect(right, "the final parameters are not the quiet run's");
    this.#sayGoodbye();
  }

  /** Lets the misfortunes run out, and sees that no worker stays behind. */
  #sayGoodbye(): void {
    const calmMs = START_MS + this.#scenario.calmFromMs;
    const untilMs = Math.max(this.#clock.nowMs, calmMs) + FAREWELL_MS;
    while (this.#clock.step(untilMs));
    for (const { plan, process, exit } of [...this.#workers.values(), ...this.#namesakes]) {
      this.#referee.expect(!process.alive, `${plan.name} does not learn that the run is over`);
      const well = exit?.ok !== false || plan.character === "foreign";
      this.#referee.expect(well, `${plan.name} ended with: ${exit?.reason}`);
    }
  }

  #startCoordinator(): void {
    this.#coordinator = new SimulatedCoordinator(this.#around, this.#coordinatorLives++);
    this.#network.listener = this.#coordinator;
  }

  #endCoordinator(downMs: number): void {
    if (!this.#coordinator?.process.alive) return;
    this.#coordinator.process.kill();
    this.#network.coordinatorGone();
    this.#clock.after(downMs, () => this.#startCoordinator());
  }

  #startWorker(plan: WorkerPlan): void {
    if (this.#workers.get(plan.name)?.process.alive) return;
    this.#workers.set(plan.name, this.#newProcess(plan));
  }

  #newProcess(plan: WorkerPlan): SimulatedWorker {
    const life = (this.#lives.get(plan.name) ?? 0) + 1;
    this.#lives.set(plan.name, life);
    const { configuration } = this.#scenario;
    return new SimulatedWorker(plan, { ...this.#around, scenario: this.#scenario, configuration }, life);
  }

  #inject(fault: Fault): void {
    if (!this.#isOver && this.#strike(fault)) {
      this.#faults++;
      this.#trace.fault(JSON.stringify(fault));
    }
  }

  /** False when there was nothing to act on. */
  #strike(fault: Fault): boolean {
    if ("worker" in fault) return this.#strikeWorker(fault, this.#workers.get(fault.worker));
    const coordinator = this.#coordinator!;
    switch (fault.kind) {
      case "natsDown":
        this.#network.natsDown(fault.forMs);
        return true;
      case "diskFull":
        this.#around.disk.fullUntilMs = this.#clock.nowMs + fault.forMs;
        return true;
      case "killCoordinator":
        if (!coordinator.process.alive) return false;
        this.#endCoordinator(fault.downMs);
        return true;
      case "stopCoordinator":
        if (!coordinator.process.alive || coordinator.process.paused) return false;
        coordinator.stop();
        this.#afterStop(coordinator, fault.downMs);
        return true;
      case "pauseCoordinator":
        return this.#pause(coordinator, fault.forMs);
    }
  }

  /** The process ends when the core says so; an impatient operator asks again. */
  #afterStop(coordinator: SimulatedCoordinator, downMs: number): void {
    const isPresent = () => coordinator === this.#coordinator && coordinator.process.alive && !this.#isOver;
    const look = (asksLeft: number) => {
      if (!isPresent()) return;
      if (coordinator.over) this.#clock.after(100, () => isPresent() && this.#endCoordinator(downMs));
      else {
        if (asksLeft === 0) coordinator.stop();
        this.#clock.after(1000, () => look(asksLeft - 1));
      }
    };
    look(20);
  }

  #strikeWorker(fault: WorkerFault, worker: SimulatedWorker | undefined): boolean {
    if (!worker?.process.alive) return false;
    const { plan } = worker;
    switch (fault.kind) {
      case "killWorker":
        worker.process.kill();
        this.#network.cut(plan.name, [0, fault.noticedMs]);
        this.#clock.after(fault.downMs, () => this.#startWorker(plan));
        return true;
      case "pauseWorker":
        return this.#pause(worker, fault.forMs);
      case "leave":
        if (worker.process.paused) return false;
        worker.leave(() => this.#clock.after(fault.backMs, () => this.#startWorker(plan)));
        return true;
      case "slowDown":
        worker.slowDown(fault.forMs);
        return true;
      case "namesake": {
        const other = this.#newProcess(plan);
        this.#namesakes.push(other);
        this.#clock.after(fault.forMs, () => other.leave(() => {}));
        return true;
      }
      case "cut":
        this.#network.cut(plan.name, fault.noticedMs);
        return true;
      case "stall":
        this.#network.stall(plan.name, fault.forMs, fault.ways);
        return true;
      case "partition":
        this.#network.partition(plan.name, fault.forMs);
        return true;
    }
  }

  #pause({ process }: { readonly process: SimulatedWorker["process"] }, forMs: number): boolean {
    if (!process.alive || process.paused) return false;
    process.pause();
    this.#clock.after(forMs, () => process.resume());
    return true;
  }
}
