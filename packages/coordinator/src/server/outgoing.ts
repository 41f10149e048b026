/** Messages on their way to workers, serialised and framed; once only where many workers get the same. */
import { type CoordinatorToWorker, coordinatorMessageBytes, type StepParameters } from "@mzsr/shared";
import { Frame } from "./grpc-frames.js";

/** A message with the bytes that go over the wire. */
export interface Outgoing<Message extends CoordinatorToWorker = CoordinatorToWorker> {
  readonly message: Message;
  readonly frame: Frame;
  /** Many workers get this very frame. */
  readonly shared: boolean;
}

/** Serialises and frames a message for one worker. */
export function outgoing<Message extends CoordinatorToWorker>(message: Message): Outgoing<Message> {
  return { message, frame: frameOf(message), shared: false };
}

/** Serialises and frames a message that will be sent to many workers. */
export function outgoingToMany<Message extends CoordinatorToWorker>(message: Message): Outgoing<Message> {
  return { message, frame: frameOf(message), shared: true };
}

function frameOf(message: CoordinatorToWorker): Frame {
  return new Frame(coordinatorMessageBytes(message));
}

/** Parameters, framed once per step however many workers ask for them; the newest few steps are kept. */
export class ParametersMessages {
  readonly #parametersOf: (step: number) => StepParameters;
  readonly #kept: number;
  readonly #messages = new Map<number, Outgoing>();

  /**
   * @param parametersOf θ before a step
   * @param kept steps that are kept: one more than the pipeline is deep
   */
  constructor(parametersOf: (step: number) => StepParameters, kept: number) {
    this.#parametersOf = parametersOf;
    this.#kept = kept;
  }

  before(step: number): Outgoing {
    const known = this.#messages.get(step);
    if (known !== undefined) return known;
    const message = outgoingToMany({ type: "parameters", ...this.#parametersOf(step) });
    this.#messages.set(step, message);
    const oldest = Math.min(...this.#messages.keys());
    if (this.#messages.size > this.#kept) this.#messages.delete(oldest);
    return message;
  }
}
