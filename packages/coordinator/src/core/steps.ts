import type { Configuration, Task } from "@mzsr/shared";
import { isAudited } from "./audits.js";
import type { GradientSums } from "./gradient-sums.js";
import type { DrawnTask, OpenStep, TaskBoard } from "./leases.js";
import type { Membership } from "./membership.js";
import type { Progress } from "./progress.js";
import type { RunSchedule } from "./schedule.js";
import type { Trainer } from "./trainer.js";
import type { Transitions } from "./transitions.js";

export interface StepsParts {
  readonly configuration: Configuration;
  readonly drawTask: (step: number, index: number) => Task;
  readonly schedule: RunSchedule;
  readonly trainer: Trainer;
  readonly board: TaskBoard;
  readonly sums: GradientSums;
  readonly membership: Membership;
  readonly progress: Progress;
  readonly transitions: Transitions;
}

/** Brings the run's steps onto the board and, when their results are there, into θ: opens, draws ahead, reduces, checkpoints. */
export class Steps {
  readonly #parts: StepsParts;
  /** When the newest step was done. */
  #reducedMs = Number.NEGATIVE_INFINITY;
  #checkpointedStep: number;

  constructor(parts: StepsParts) {
    this.#parts = parts;
    this.#checkpointedStep = parts.trainer.step;
  }

  /** Opens the steps whose parameters are there. @param last the last one that shall still be computed */
  open(last: number): void {
    const { trainer, schedule, board } = this.#parts;
    const first = trainer.step;
    for (let step = first; step <= Math.min(first + schedule.pipeline, last); step++) {
      if (schedule.parametersStepOf(step) > first) return;
      if (!board.has(step)) board.open(step, () => this.#draw(step));
    }
  }

  /** The step after the open ones, whose θ is not there yet. Drawn once. @param last as for `open` */
  ahead(last: number): OpenStep | undefined {
    const { trainer, board } = this.#parts;
    const step = (board.steps.at(-1)?.step ?? trainer.step - 1) + 1;
    if (step > last) return undefined;
    if (board.ahead?.step !== step) board.drawAhead(step, this.#draw(step));
    return board.ahead;
  }

  /** Carries out every step, in order, of which all results are there. */
  reduce(now: number): void {
    const { trainer, board, sums, membership, progress, transitions } = this.#parts;
    for (;;) {
      const { step } = trainer;
      const reports = board.settledReports(step);
      if (!reports) return;
      const sinceMs = Math.max(board.begunMs(step)!, this.#reducedMs);
      const gradient = sums.mean(step);
      board.close(step);
      sums.close(step);
      this.#reducedMs = now;
      const summary = trainer.advance(reports, gradient, {
        seconds: (now - sinceMs) / 1000,
        workers: membership.connectedCount,
      });
      progress.stepDone(summary, now);
      transitions.effect({ type: "step", summary });
      this.#validateIfDue();
      this.#checkpointIfDue();
    }
  }

  /** The run stops before its end: keeps what has been done since the last checkpoint. */
  checkpointStop(): void {
    if (this.#checkpointedStep !== this.#parts.trainer.step) this.#checkpoint("stop");
  }

  #draw(step: number): readonly DrawnTask[] {
    const { configuration, schedule, drawTask } = this.#parts;
    const { seed, cluster } = configuration;
    return Array.from({ length: schedule.tasksOf(step) }, (_, index) => ({
      task: drawTask(step, index),
      audited: isAudited(seed, step, index, cluster.auditShare),
    }));
  }

  #validateIfDue(): void {
    const { trainer, schedule, transitions } = this.#parts;
    const { step } = trainer;
    if (!schedule.validatesAfter(step)) return;
    transitions.effect({ type: "validation", step, theta: trainer.parametersBefore(step), average: trainer.average() });
  }

  #checkpointIfDue(): void {
    const { trainer, schedule, configuration, transitions } = this.#parts;
    const { step } = trainer;
    const stageEnds = step === configuration.pretraining.steps && step < schedule.totalSteps;
    if (step === schedule.totalSteps) this.#checkpoint("finished");
    else if (stageEnds) this.#checkpoint("stage");
    else if (step % configuration.checkpoints.every === 0) this.#checkpoint("interval");
    if (stageEnds) transitions.record({ kind: "stage", step, reason: "pretraining is done; meta-training begins" });
  }

  #checkpoint(reason: "interval" | "stop" | "finished" | "stage"): void {
    const { trainer, transitions } = this.#parts;
    const state = trainer.snapshot();
    this.#checkpointedStep = state.step;
    transitions.effect({ type: "checkpoint", step: state.step, reason, state });
  }
}
