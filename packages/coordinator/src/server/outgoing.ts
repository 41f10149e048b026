/** What leaves for the workers: messages, and messages that are serialised already because many workers get the same. */
import {
  type CoordinatorMessage,
  type CoordinatorToWorker,
  clusterService,
  coordinatorMessageToProto,
  type StepParameters,
} from "@mzsr/shared";

/** A message as the bytes that go over the wire. */
export class EncodedMessage {
  readonly bytes: Buffer;

  constructor(bytes: Buffer) {
    this.bytes = bytes;
  }
}

/** The service, with a Session that also takes messages which are encoded already. */
export function sharingClusterService() {
  const service = clusterService();
  const serialize = service.Session.responseSerialize;
  return {
    ...service,
    Session: {
      ...service.Session,
      responseSerialize: (message: CoordinatorMessage | EncodedMessage): Buffer =>
        message instanceof EncodedMessage ? message.bytes : serialize(message),
    },
  };
}

/** Serialises a message now, to be written to any number of streams. */
export function encodeMessage(message: CoordinatorToWorker): EncodedMessage {
  return new EncodedMessage(clusterService().Session.responseSerialize(coordinatorMessageToProto(message)));
}

/** Parameters, serialised once per step however many workers ask for them; the newest few steps are kept. */
export class ParametersMessages {
  readonly #parametersOf: (step: number) => StepParameters;
  readonly #kept: number;
  readonly #messages = new Map<number, EncodedMessage>();

  /**
   * @param parametersOf θ before a step
   * @param kept steps that are kept: one more than the pipeline is deep
   */
  constructor(parametersOf: (step: number) => StepParameters, kept: number) {
    this.#parametersOf = parametersOf;
    this.#kept = kept;
  }

  before(step: number): EncodedMessage {
    const known = this.#messages.get(step);
    if (known !== undefined) return known;
    const message = encodeMessage({ type: "parameters", ...this.#parametersOf(step) });
    this.#messages.set(step, message);
    const oldest = Math.min(...this.#messages.keys());
    if (this.#messages.size > this.#kept) this.#messages.delete(oldest);
    return message;
  }
}
