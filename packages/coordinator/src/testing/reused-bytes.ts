import type { CoordinatorEvent } from "../core/events.js";

/** Handles an event as the server has it handled: the memory of a message is used for the next one afterwards. */
export function handledInReusedMemory<T>(event: CoordinatorEvent, handle: (event: CoordinatorEvent) => T): T {
  const copies: Buffer[] = [];
  const copyOf = (bytes: Uint8Array) => {
    const copy = Buffer.from(bytes);
    copies.push(copy);
    return copy;
  };
  const handled = handle(copyOfResult(event, copyOf));
  for (const copy of copies) copy.fill(0xff);
  return handled;
}

function copyOfResult(event: CoordinatorEvent, copyOf: (bytes: Uint8Array) => Buffer): CoordinatorEvent {
  if (event.type === "result") {
    return { ...event, result: { ...event.result, gradient: copyOf(event.result.gradient) } };
  }
  if (event.type !== "group") return event;
  const { sum } = event.group;
  return { ...event, group: { ...event.group, sum: { ...sum, high: copyOf(sum.high), low: copyOf(sum.low) } } };
}
