/** Carries out what the core decided: on sockets, files, metrics and NATS. */

import type { ParameterLayout } from "@mzsr/mzsr";
import type { Configuration, DatasetImage, StepSummary } from "@mzsr/shared";
import type { Logger } from "pino";
import type { CoordinatorCore } from "../core/coordinator-core.js";
import type { CoordinatorEffect } from "../core/events.js";
import { HEARTBEAT_SECONDS } from "../core/membership.js";
import type { EventStream } from "../http/event-stream.js";
import type { CoordinatorMetrics } from "../metrics/metrics.js";
import type { CheckpointWriter } from "../run/checkpoint-writer.js";
import type { MetricsLine } from "../run/metrics-log.js";
import type { RunFolder } from "../run/run-folder.js";
import type { GrpcServer } from "../server/grpc-server.js";
import { type Outgoing, outgoingToMany, type ParametersMessages } from "../server/outgoing.js";
import type { EventRecorder } from "./event-recorder.js";
import type { LiveRun } from "./live-run.js";

export type RunEnd = Extract<CoordinatorEffect, { type: "ended" }>;

export interface EffectTargets {
  readonly run: string;
  readonly incarnation: string;
  readonly configuration: Configuration;
  readonly images: readonly DatasetImage[];
  readonly layout: ParameterLayout;
  readonly core: CoordinatorCore;
  readonly server: GrpcServer;
  readonly parameters: ParametersMessages;
  readonly folder: RunFolder;
  readonly checkpoints: CheckpointWriter;
  readonly metrics: CoordinatorMetrics;
  readonly live: LiveRun;
  readonly stream: EventStream;
  readonly recorder: EventRecorder;
  readonly logger: Logger;
  /** Told of each step's line of metrics.jsonl. */
  readonly onStep: (line: MetricsLine) => void;
  /** Told of parameters that are to be measured. */
  readonly onValidation: (step: number, theta: Float32Array, average: Float32Array | undefined) => void;
}

export class EffectRunner {
  readonly #targets: EffectTargets;
  /** The same for every worker. */
  readonly #welcome: Outgoing;

  constructor(targets: EffectTargets) {
    this.#targets = targets;
    const { run, configuration, images, incarnation } = targets;
    const heartbeatSeconds = HEARTBEAT_SECONDS;
    this.#welcome = outgoingToMany({ type: "welcome", run, configuration, images, heartbeatSeconds, incarnation });
  }

  carryOut(effect: Exclude<CoordinatorEffect, RunEnd>): void {
    const { server, metrics, checkpoints } = this.#targets;
    switch (effect.type) {
      case "welcome":
        server.send(effect.session, this.#welcome);
        break;
      case "refuse":
        server.send(effect.session, { type: "refusal", reason: effect.reason, retry: effect.retry });
        server.close(effect.session, effect.reason);
        break;
      case "parameters":
        this.#sendParameters(effect.session, effect.step);
        break;
      case "assign":
        server.send(effect.session, { type: "assign", leases: effect.leases });
        break;
      case "announce":
        server.send(effect.session, { type: "announce", tasks: effect.tasks });
        break;
      case "cancel":
        server.send(effect.session, { type: "cancel", leases: effect.leases });
        break;
      case "drain":
        server.send(effect.session, { type: "drain", reason: effect.reason, finished: effect.finished });
        break;
      case "disconnect":
        server.send(effect.session, { type: "refusal", reason: effect.reason, retry: true });
        server.close(effect.session, effect.reason);
        break;
      case "event":
        this.#targets.recorder.record(effect.event);
        break;
      case "taskEnded":
        metrics.taskEnded(effect);
        break;
      case "audit":
        metrics.auditEnded(effect);
        break;
      case "step":
        this.#stepDone(effect.summary);
        break;
      case "validation":
        this.#targets.onValidation(effect.step, effect.theta, effect.average);
        break;
      case "checkpoint":
        checkpoints.request(effect.state, effect.reason);
        break;
    }
  }

  #sendParameters(session: string, step: number): void {
    const message = this.#targets.parameters.before(step);
    this.#targets.server.send(session, message);
    this.#targets.metrics.parametersSent(message.frame.bytes.length);
  }

  #stepDone(summary: StepSummary): void {
    const { folder, live, stream, metrics, core, layout, logger } = this.#targets;
    this.#targets.onStep(folder.recordStep(summary, new Date()));
    live.stepDone(summary);
    stream.step(summary);
    metrics.stepDone(summary);
    metrics.showInnerRates(core.parametersBefore(summary.step), layout.entries);
    const { step, stage, seconds, supportLosses, queryLosses } = summary;
    logger.debug({ step, stage, seconds, supportLosses, queryLosses }, "step done");
  }
}
