import type { CoordinatorToWorker } from "@mzsr/shared";
import { smallConfiguration } from "@mzsr/testing/small-run";
import { expect, test } from "vitest";
import { RunSchedule } from "../core/schedule.js";
import { smallTask } from "../testing/core-harness.js";
import { MAX_WAITING_BYTES, MAX_WAITING_MESSAGES, Outbox } from "./outbox.js";
import { type Outgoing, outgoing, outgoingToMany } from "./outgoing.js";

const schedule = new RunSchedule(smallConfiguration());
const THETA = new Float32Array(3);

const parameters = (step: number, theta = THETA): Outgoing =>
  outgoingToMany({ type: "parameters", stage: "metaTraining", step, theta });
const assign = (...leases: readonly string[]): Outgoing =>
  outgoing({
    type: "assign",
    leases: leases.map((id, i) => ({ id, task: smallTask(schedule, 1, i), groupable: false })),
  });
const announce = (step: number): Outgoing => outgoing({ type: "announce", tasks: [smallTask(schedule, step, 0)] });
const cancel = (...leases: readonly string[]): Outgoing => outgoing({ type: "cancel", leases });

/** What is sent when `messages` come while nothing can be sent, in short; each frame must hold what its message says. */
function sentOf(messages: readonly Outgoing[], keptSteps = 1): string[] {
  const outbox = new Outbox(keptSteps);
  for (const message of messages) expect(outbox.push(message)).toBeUndefined();
  const sent = Array.from({ length: outbox.length }, () => outbox.shift()!);
  expect(outbox.shift()).toBeUndefined();
  for (const { message, frame } of sent) expect(frame).toEqual(outgoing(message).frame);
  return sent.map(({ message }) => summaryOf(message));
}

function summaryOf(message: CoordinatorToWorker): string {
  switch (message.type) {
    case "parameters":
      return `parameters ${message.step}`;
    case "assign":
      return `assign ${message.leases.map(({ id }) => id)}`;
    case "announce":
      return `announce ${message.tasks.map(({ step }) => step)}`;
    case "cancel":
      return `cancel ${message.leases}`;
    default:
      return message.type;
  }
}

test("messages leave in the order in which they came", () => {
  const sent = sentOf([parameters(1), assign("a"), cancel("sent before"), announce(2)]);
  expect(sent).toEqual(["parameters 1", "assign a", "cancel sent before", "announce 2"]);
});

test("newer parameters replace older ones that wait, and leases cancelled meanwhile are not sent", () => {
  const step = (n: number) => [parameters(n), assign(`a${n}`), cancel(`a${n}`)];
  expect(sentOf([...step(1), ...step(2), parameters(3), assign("a3")])).toEqual(["parameters 3", "assign a3"]);
});

test("a pipelined run keeps as many steps' parameters as may be in use", () => {
  const messages = [1, 2, 3].flatMap((step) => [parameters(step), assign(`a${step}`)]);
  expect(sentOf(messages, 2)).toEqual(["assign a1", "parameters 2", "assign a2", "parameters 3", "assign a3"]);
});

test("a lease that is cancelled while it waits is not sent, nor is its cancellation", () => {
  const sent = sentOf([assign("a", "b"), assign("c"), cancel("a", "c", "sent before")]);
  expect(sent).toEqual(["assign b", "cancel sent before"]);
  expect(sentOf([assign("a"), cancel("a")])).toEqual([]);
});

test("of announcements, only the newest waits", () => {
  expect(sentOf([cancel("x"), announce(1), cancel("y"), announce(2)])).toEqual(["cancel x", "cancel y", "announce 2"]);
});

test("more messages than may wait are refused", () => {
  const outbox = new Outbox(1);
  for (let i = 0; i < MAX_WAITING_MESSAGES; i++) expect(outbox.push(cancel(`${i}`))).toBeUndefined();
  expect(outbox.push(cancel("one more"))).toBe("more than 256 messages wait");
});

test("more bytes than may wait are refused; what many workers get weighs nothing", () => {
  const outbox = new Outbox(1);
  expect(outbox.push(parameters(1, new Float32Array(MAX_WAITING_BYTES)))).toBeUndefined();
  expect(outbox.ownBytes).toBe(0);
  const large = cancel("x".repeat(MAX_WAITING_BYTES / 2));
  expect(outbox.push(large)).toBeUndefined();
  expect(outbox.push(large)).toBe("more than 4 MiB of messages wait");
});

test("a worker that never reads again holds no more after a thousand steps than after one", () => {
  const outbox = new Outbox(1);
  const sizes = Array.from({ length: 1000 }, (_, step) => {
    for (const message of [parameters(step), assign(`a${step}`), announce(step + 1)]) outbox.push(message);
    const { length } = outbox;
    outbox.push(cancel(`a${step}`));
    return length;
  });
  expect(new Set(sizes)).toEqual(new Set([3]));
});
