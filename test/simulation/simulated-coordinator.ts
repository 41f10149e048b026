import {
  CoordinatorCore,
  type CoordinatorEffect,
  type CoordinatorEvent,
  HEARTBEAT_SECONDS,
  initialTrainingState,
  type TrainingState,
} from "@mzsr/coordinator";
import type { Configuration, Hello, WorkerToCoordinator } from "@mzsr/shared";
import type { Clock } from "./clock.js";
import type { Listener, Network, Stream, StreamEnd } from "./network.js";
import { Process } from "./process.js";
import type { Random } from "./random.js";
import type { Referee } from "./referee.js";
import { TOY_LAYOUT, TOY_START, toyTask } from "./toy-problem.js";
import type { Trace } from "./trace.js";

/** What survives a coordinator's death: its checkpoints. A checkpoint is whole or absent. */
export class Disk {
  newest: TrainingState = initialTrainingState(TOY_START);
  fullUntilMs = 0;
}

export interface CoordinatorSurroundings {
  readonly configuration: Configuration;
  readonly clock: Clock;
  readonly network: Network;
  readonly random: Random;
  readonly disk: Disk;
  readonly referee: Referee;
  readonly trace: Trace;
  readonly flippers: boolean;
}

interface Connection {
  readonly session: string;
  readonly stream: () => Stream;
  hello?: Hello;
}

type ResultMessage = Extract<WorkerToCoordinator, { type: "result" | "group" }>;

function resultEvent(session: string, message: ResultMessage): CoordinatorEvent {
  if (message.type === "result") return { type: "result", session, result: message };
  return { type: "group", session, group: message };
}

/** One life of the coordinator: the core in the thinnest shell that can carry out its effects. */
export class SimulatedCoordinator implements Listener {
  readonly process = new Process();
  readonly #around: CoordinatorSurroundings;
  readonly #core: CoordinatorCore;
  readonly #incarnation: string;
  readonly #connections = new Map<string, Connection>();
  /** Results that arrived, to be replayed by a network that repeats itself. */
  readonly #seen: ResultMessage[] = [];
  #streams = 0;
  #nextTickMs = Number.POSITIVE_INFINITY;

  constructor(around: CoordinatorSurroundings, life: number) {
    this.#around = around;
    this.#incarnation = `life${life}`;
    const { configuration, disk, referee } = around;
    this.#core = new CoordinatorCore({
      run: "simulated",
      configuration,
      state: disk.newest,
      drawTask: (step, index) => toyTask(configuration, step, index),
      layout: TOY_LAYOUT,
      incarnation: this.#incarnation,
    });
    referee.lifeBegins(disk.newest.step);
    this.#handle({ type: "tick" });
  }

  get over(): boolean {
    return this.#core.over;
  }

  stop(): void {
    this.process.deliver(() => this.#handle({ type: "stop", reason: "asked to" }));
  }

  /** A heartbeat came over NATS. */
  heartbeat(worker: string, incarnation: string, busySlots: number): void {
    this.#handle({ type: "heartbeat", worker, incarnation, via: "nats", busySlots });
  }

  accept(stream: () => Stream): StreamEnd<WorkerToCoordinator> {
    const session = `${this.#incarnation}-session${this.#streams++}`;
    const connection: Connection = { session, stream };
    return {
      process: this.process,
      receive: (message) => this.#receive(connection, message),
      closed: (reason) => {
        this.#connections.delete(session);
        this.#handle({ type: "disconnected", session, reason });
      },
    };
  }

  #receive(connection: Connection, message: WorkerToCoordinator): void {
    const { session } = connection;
    switch (message.type) {
      case "hello":
        this.#connections.set(session, connection);
        connection.hello = message;
        this.#handle({ type: "join", session, hello: message });
        break;
      case "result":
      case "group":
        this.#handle(resultEvent(session, message));
        this.#repeatSometimes(session, message);
        break;
      case "failure":
        this.#handle({ type: "failure", session, lease: message.lease, reason: message.reason });
        break;
      case "goodbye":
        this.#handle({ type: "goodbye", session, reason: message.reason });
        break;
      case "heartbeat": {
        const { worker, incarnation } = connection.hello!;
        this.#handle({ type: "heartbeat", worker, incarnation, via: "stream", busySlots: 0 });
        break;
      }
    }
  }

  /** The same result again, or an old one through a newer session. */
  #repeatSometimes(session: string, message: ResultMessage): void {
    const { random, network } = this.#around;
    this.#seen.push(message);
    if (!random.chance(network.duplicateShare)) return;
    this.#handle(resultEvent(session, random.pick(this.#seen)));
  }

  #handle(event: CoordinatorEvent): void {
    const { clock, referee, trace } = this.#around;
    const effects = this.#core.handle(event, clock.nowMs);
    trace.coordinator(event, effects);
    for (const effect of effects) {
      const unsure = effect.type === "audit" && (effect.result === "skipped" || effect.result === "undecided");
      if (unsure) referee.auditSkipped(this.#around.flippers);
    }
    referee.effects(this.#core, effects, clock.nowMs);
    for (const effect of effects) this.#carryOut(effect);
    this.#setTimer();
  }

  #carryOut(effect: CoordinatorEffect): void {
    switch (effect.type) {
      case "welcome":
        this.#send(effect.session, {
          type: "welcome",
          run: "simulated",
          configuration: this.#around.configuration,
          images: [],
          heartbeatSeconds: HEARTBEAT_SECONDS,
          incarnation: this.#incarnation,
        });
        break;
      case "refuse":
        this.#send(effect.session, { type: "refusal", reason: effect.reason, retry: effect.retry });
        this.#close(effect.session);
        break;
      case "parameters": {
        const theta = this.#core.parametersBefore(effect.step);
        this.#send(effect.session, { type: "parameters", stage: "metaTraining", step: effect.step, theta });
        break;
      }
      case "assign":
        this.#send(effect.session, { type: "assign", leases: effect.leases });
        break;
      case "announce":
        this.#send(effect.session, { type: "announce", tasks: effect.tasks });
        break;
      case "cancel":
        this.#send(effect.session, { type: "cancel", leases: effect.leases });
        break;
      case "drain":
        this.#send(effect.session, { type: "drain", reason: effect.reason, finished: effect.finished });
        break;
      case "disconnect":
        this.#close(effect.session);
        break;
      case "checkpoint":
        this.#save(effect.state);
        break;
      default:
        break;
    }
  }

  #save(state: TrainingState): void {
    const { disk, clock } = this.#around;
    if (disk.fullUntilMs <= clock.nowMs) disk.newest = state;
  }

  #send(session: string, message: Parameters<Stream["sendDown"]>[0]): void {
    this.#connections.get(session)?.stream().sendDown(message);
  }

  #close(session: string): void {
    this.#connections.get(session)?.stream().closeByCoordinator();
    this.#connections.delete(session);
  }

  #setTimer(): void {
    const { clock } = this.#around;
    const wakeMs = this.#core.nextWakeMs(clock.nowMs);
    if (wakeMs === undefined || (this.#nextTickMs > clock.nowMs && wakeMs >= this.#nextTickMs)) return;
    this.#nextTickMs = wakeMs;
    clock.at(wakeMs, () => this.process.deliver(() => this.#tick(wakeMs)));
  }

  #tick(wakeMs: number): void {
    if (wakeMs !== this.#nextTickMs) return;
    this.#nextTickMs = Number.POSITIVE_INFINITY;
    this.#handle({ type: "tick" });
  }
}
