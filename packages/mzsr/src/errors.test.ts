import { expect, it } from "vitest";
import { knownReason, messageOf } from "./errors.js";

it("always has a message, also of an error that has none and of nothing", () => {
  expect(messageOf(new Error("broken"))).toBe("broken");
  expect(messageOf("broken")).toBe("broken");
  expect(messageOf(new TypeError(""))).toBe("TypeError");
  expect(messageOf(new Error("undefined", { cause: new Error("the disk is full") }))).toBe("the disk is full");
  expect(messageOf(new AggregateError([new Error("::1 refused"), new Error("127.0.0.1 refused")]))).toBe(
    "::1 refused, 127.0.0.1 refused",
  );
  for (const nothing of [undefined, null, "", "undefined", {}]) {
    expect(messageOf(nothing)).toBe("unknown failure");
    expect(knownReason(nothing)).toBeUndefined();
  }
});
