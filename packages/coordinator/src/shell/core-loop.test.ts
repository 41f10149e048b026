import { expect, test, vi } from "vitest";
import type { CoordinatorEffect, CoordinatorEvent } from "../core/events.js";
import { CoreLoop, type LoopCore } from "./core-loop.js";

const ended: CoordinatorEffect = { type: "ended", complete: false };
const stop = (reason: string): CoordinatorEvent => ({ type: "stop", reason });

/** Answers every stop with two effects, and notes what it was asked. */
class NotingCore implements LoopCore {
  readonly handled: string[] = [];
  wakeMs: number | undefined;

  handle(event: CoordinatorEvent): CoordinatorEffect[] {
    this.handled.push(event.type === "stop" ? event.reason : event.type);
    return event.type === "stop" ? [ended, ended] : [];
  }

  nextWakeMs(): number | undefined {
    return this.wakeMs;
  }
}

test("an event that an effect brings about waits until the effects before it are carried out", () => {
  const core = new NotingCore();
  const order: string[] = [];
  const loop = new CoreLoop(core, () => 0);
  loop.deliver(stop("first"));
  loop.start(() => {
    order.push(`effect of ${core.handled.at(-1)}`);
    if (order.length === 1) loop.deliver(stop("second"));
  });
  expect(order).toEqual(["effect of first", "effect of first", "effect of second", "effect of second"]);
});

test("the core is woken when it asks to be, and not any more after a stop", async () => {
  const core = new NotingCore();
  const loop = new CoreLoop(core, () => performance.now());
  core.wakeMs = performance.now() + 5;
  loop.start(() => undefined);
  await vi.waitUntil(() => core.handled.length >= 3, 20_000);
  loop.stop();
  const before = core.handled.length;
  loop.deliver(stop("late"));
  expect(core.handled).toHaveLength(before);
});

test("nothing is handled once the right to act is gone, even what waits already", () => {
  const core = new NotingCore();
  let may = true;
  const loop = new CoreLoop(
    core,
    () => 0,
    () => may,
  );
  loop.deliver(stop("first"));
  loop.start(() => {
    loop.deliver(stop("waiting"));
    may = false;
  });
  may = true;
  loop.deliver(stop("afterwards"));
  expect(core.handled).toEqual(["first"]);
});
