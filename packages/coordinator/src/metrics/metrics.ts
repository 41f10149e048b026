/** The coordinator's Prometheus metrics (docs/design.md §10), every one with the label `run`. */

import type { LayoutEntry } from "@mzsr/mzsr";
import type { ClusterStatus, RunEvent, RunStage, StepSummary, ValidationSummary, WorkerState } from "@mzsr/shared";
import { Counter, Gauge, Histogram, Registry } from "prom-client";
import type { CoordinatorEffect } from "../core/events.js";
import type { RefusalKind } from "../server/refusal.js";
import { WorkerSeries } from "./worker-series.js";

type TaskEnded = Extract<CoordinatorEffect, { type: "taskEnded" }>;
type AuditEnded = Extract<CoordinatorEffect, { type: "audit" }>;

/** From 10 ms (a tiny network) to 3 minutes (the paper's on a slow machine). */
const STEP_BUCKETS = [0.01, 0.03, 0.1, 0.3, 1, 2, 3, 5, 10, 20, 30, 60, 180];
const CHECKPOINT_BUCKETS = [0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30];
const WORKER_STATES = ["active", "draining", "quarantined", "lost", "gone"] as const;

export class CoordinatorMetrics {
  readonly registry = new Registry();
  readonly #status: () => ClusterStatus;
  readonly #nowMs: () => number;
  readonly #ofWorkers: WorkerSeries;
  readonly #metaSteps = this.#counter("mzsr_meta_steps_total", "Steps finished by this coordinator.", ["stage"]);
  readonly #stepSeconds = this.#histogram("mzsr_meta_step_seconds", "Duration of a step.", ["stage"], STEP_BUCKETS);
  readonly #step = this.#gauge("mzsr_step", "Steps of the stage that are done.", ["stage"]);
  readonly #stepsPlanned = this.#gauge("mzsr_steps_planned", "Steps of the stage in all.", ["stage"]);
  readonly #tasksEnded = this.#counter(
    "mzsr_tasks_ended_total",
    "Leases of all workers that ended, by how; of those that left too.",
    ["outcome"],
  );
  readonly #loss = this.#gauge("mzsr_loss", "Mean L1 loss of the newest step's tasks.", ["set", "moment"]);
  readonly #gain = this.#gauge(
    "mzsr_adaptation_gain_ratio",
    "Share of the query loss that adaptation took away in the newest step.",
    [],
  );
  readonly #gradientNorm = this.#gauge("mzsr_meta_gradient_norm", "L2 norm of the newest mean gradient.", []);
  readonly #stepWeight = this.#gauge("mzsr_step_weight", "Weight of an inner step in the outer loss.", ["inner_step"]);
  readonly #learningRate = this.#gauge("mzsr_learning_rate", "Adam's rate in the newest step.", []);
  readonly #innerRate = this.#gauge("mzsr_inner_rate", "A learned inner rate.", ["inner_step", "tensor"]);
  readonly #workers = this.#gauge("mzsr_workers", "Workers by state.", ["state"]);
  readonly #leases = this.#gauge("mzsr_leases", "Tasks and leases of the open steps by state.", ["state"]);
  readonly #gradientBytes = this.#counter("mzsr_gradient_bytes_total", "Bytes of gradients received.", []);
  readonly #parameterBytes = this.#counter("mzsr_parameter_bytes_total", "Bytes of parameters sent.", []);
  readonly #checkpointAge = this.#gauge("mzsr_checkpoint_age_seconds", "Time since the newest checkpoint.", []);
  readonly #checkpointSeconds = this.#histogram(
    "mzsr_checkpoint_seconds",
    "Time to make a checkpoint durable.",
    [],
    CHECKPOINT_BUCKETS,
  );
  readonly #checkpointFailures = this.#counter("mzsr_checkpoint_failures_total", "Checkpoints not written.", []);
  readonly #audits = this.#counter("mzsr_audits_total", "Audits that ended, by how.", ["result"]);
  readonly #refusals = this.#counter("mzsr_refusals_total", "Results and peers refused, by reason.", ["reason"]);
  readonly #events = this.#counter("mzsr_events_total", "Events of the cluster, by kind.", ["kind"]);
  readonly #repeated = this.#counter("mzsr_tasks_repeated_total", "Tasks given out again or computed twice.", []);
  readonly #previewPsnr = this.#gauge("mzsr_preview_psnr_db", "PSNR-Y of a held-out picture.", ["image", "updates"]);
  readonly #validationPsnr = this.#gauge(
    "mzsr_validation_psnr_db",
    "Mean PSNR-Y over held-out images, of bicubic enlargement or after so many updates; kernel `all`: over the kernels.",
    ["kernel", "updates"],
  );
  readonly #validationStep = this.#gauge("mzsr_validation_step", "Step whose parameters were measured last.", []);
  readonly #validationsWaiting = this.#gauge("mzsr_validations_waiting", "Models that wait to be measured.", []);
  readonly #secondsLeft = this.#gauge("mzsr_run_seconds_left", "Expected time until the run is finished.", []);
  readonly #finished = this.#gauge("mzsr_run_finished", "1 when the run is finished, 0 before.", []);
  readonly #natsConnected = this.#gauge("mzsr_nats_connected", "1 while NATS is there.", []);
  #checkpointAtMs: number | undefined;

  /**
   * @param run the label of every metric
   * @param status read at every scrape
   * @param nowMs the clock that ages are measured on
   */
  constructor(run: string, status: () => ClusterStatus, nowMs: () => number) {
    this.registry.setDefaultLabels({ run });
    this.#status = status;
    this.#nowMs = nowMs;
    this.#ofWorkers = new WorkerSeries(this.registry, nowMs);
    for (const result of ["match", "mismatch", "skipped", "undecided"]) this.#audits.inc({ result }, 0);
  }

  /** How many steps each stage has. */
  plan(steps: Readonly<Record<RunStage, number>>): void {
    for (const [stage, planned] of Object.entries(steps)) this.#stepsPlanned.set({ stage }, planned);
  }

  stepDone(step: StepSummary): void {
    const { stage } = step;
    this.#metaSteps.inc({ stage });
    this.#stepSeconds.observe({ stage }, step.seconds);
    this.showStep(step);
  }

  /** Shows a step that another life of the coordinator did. */
  showStep(step: StepSummary): void {
    this.#step.set({ stage: step.stage }, step.stageStep);
    this.#gradientNorm.set(step.gradientNorm);
    this.#learningRate.set(step.learningRate);
    this.#showLosses("support", step.supportLosses);
    this.#showLosses("query", step.queryLosses);
    const [before, after] = [step.queryLosses[0], step.queryLosses.at(-1)];
    if (before !== undefined && after !== undefined && before > 0) this.#gain.set((before - after) / before);
    step.stepWeights.forEach((weight, i) => {
      this.#stepWeight.set({ inner_step: i }, weight);
    });
  }

  /** The learned inner rates, from their logarithms in the parameters. */
  showInnerRates(theta: Float32Array, entries: readonly LayoutEntry[]): void {
    const tensors = entries.filter(({ name }) => !name.startsWith("inner_rate/")).map(({ name }) => name);
    for (const { name, offset } of entries) {
      if (!name.startsWith("inner_rate/")) continue;
      tensors.forEach((tensor, i) => {
        this.#innerRate.set({ inner_step: name.slice("inner_rate/".length), tensor }, Math.exp(theta[offset + i]!));
      });
    }
  }

  taskEnded({ worker, outcome, seconds, bytes, code }: TaskEnded): void {
    const counts = outcome === "accepted" || outcome === "audited";
    this.#ofWorkers.taskEnded(worker, outcome, counts ? seconds : undefined);
    this.#tasksEnded.inc({ outcome });
    this.#gradientBytes.inc(bytes);
    if (outcome === "refused") this.#refusals.inc({ reason: code ?? "result" });
    if (outcome === "repeated" || outcome === "lost" || outcome === "late") this.#repeated.inc();
  }

  auditEnded({ result }: AuditEnded): void {
    this.#audits.inc({ result });
  }

  happened(event: RunEvent): void {
    this.#events.inc({ kind: event.kind });
    this.#ofWorkers.happened(event);
  }

  /** A peer was turned away before it became a worker. */
  peerRefused(kind: RefusalKind): void {
    this.#refusals.inc({ reason: kind });
  }

  /** A request to the page or the metrics was turned away. */
  requestRefused(): void {
    this.#refusals.inc({ reason: "http" });
  }

  parametersSent(bytes: number): void {
    this.#parameterBytes.inc(bytes);
  }

  checkpointWritten(seconds: number, nowMs: number): void {
    this.#checkpointSeconds.observe(seconds);
    this.#checkpointAtMs = nowMs;
  }

  checkpointFailed(): void {
    this.#checkpointFailures.inc();
  }

  showPreview(image: string, updates: number, psnr: number): void {
    this.#previewPsnr.set({ image, updates }, psnr);
  }

  showValidation({ step, updates, bicubic, psnr, kernels }: ValidationSummary): void {
    this.#validationStep.set(step);
    for (const each of [{ kernel: "all", bicubic, psnr }, ...kernels]) {
      this.#validationPsnr.set({ kernel: each.kernel, updates: "bicubic" }, each.bicubic);
      updates.forEach((count, i) => {
        this.#validationPsnr.set({ kernel: each.kernel, updates: count }, each.psnr[i]!);
      });
    }
  }

  validationsWaiting(models: number): void {
    this.#validationsWaiting.set(models);
  }

  natsChanged(connected: boolean): void {
    this.#natsConnected.set(connected ? 1 : 0);
  }

  /** Everything in Prometheus' text format. */
  text(): Promise<string> {
    this.#observe(this.#status(), this.#nowMs());
    return this.registry.metrics();
  }

  #showLosses(set: "support" | "query", losses: readonly number[]): void {
    losses.forEach((loss, moment) => {
      this.#loss.set({ set, moment: String(moment) }, loss);
    });
    const [before, after] = [losses[0], losses.at(-1)];
    if (before !== undefined) this.#loss.set({ set, moment: "before" }, before);
    if (after !== undefined && losses.length > 1) this.#loss.set({ set, moment: "after" }, after);
  }

  #observe(status: ClusterStatus, nowMs: number): void {
    const counts = new Map<WorkerState, number>(WORKER_STATES.map((state) => [state, 0]));
    for (const { state } of status.workers) counts.set(state, counts.get(state)! + 1);
    for (const [state, count] of counts) this.#workers.set({ state }, count);
    for (const [state, count] of Object.entries(status.leases)) this.#leases.set({ state }, count);
    this.#ofWorkers.observe(status.workers);
    this.#finished.set(status.phase === "finished" ? 1 : 0);
    if (this.#checkpointAtMs !== undefined) this.#checkpointAge.set((nowMs - this.#checkpointAtMs) / 1000);
    if (status.secondsLeft !== null) this.#secondsLeft.set(status.secondsLeft);
  }

  #counter<T extends string>(name: string, help: string, labelNames: T[]): Counter<T> {
    return new Counter({ name, help, labelNames, registers: [this.registry] });
  }

  /** It shows nothing until it is known: 0 would say that there is no NATS, or that a checkpoint is new. */
  #gauge<T extends string>(name: string, help: string, labelNames: T[]): Gauge<T> {
    const gauge = new Gauge({ name, help, labelNames, registers: [this.registry] });
    if (labelNames.length === 0) gauge.remove();
    return gauge;
  }

  #histogram<T extends string>(name: string, help: string, labelNames: T[], buckets: number[]): Histogram<T> {
    return new Histogram({ name, help, labelNames, buckets, registers: [this.registry] });
  }
}
