import { expect, test } from "vitest";
import { Connections } from "./connections.js";

const connections = () => new Connections({ strangersPerAddress: 2, strangerMs: 1000 });

test("of too many strangers from one address the oldest goes; those from others stay", () => {
  const known = connections();
  expect(known.opened("a:1", "a", 0)).toBeUndefined();
  expect(known.opened("b:1", "b", 0)).toBeUndefined();
  expect(known.opened("a:2", "a", 1)).toBeUndefined();
  expect(known.opened("a:3", "a", 2)).toBe("a:1");
  expect(known.strangers).toBe(3);
});

test("workers from one address are as many as they are", () => {
  const known = connections();
  for (let i = 0; i < 5000; i++) {
    expect(known.opened(`a:${i}`, "a", i)).toBeUndefined();
    known.strangerNoMore(`a:${i}`);
  }
  expect(known.strangers).toBe(0);
});

test("who has not introduced itself in time is overdue, once", () => {
  const known = connections();
  known.opened("a:1", "a", 0);
  known.opened("a:2", "a", 400);
  known.opened("b:1", "b", 800);
  known.strangerNoMore("a:2");
  expect(known.overdue(999)).toEqual([]);
  expect(known.overdue(1000)).toEqual(["a:1"]);
  expect(known.overdue(1000)).toEqual([]);
  expect(known.strangers).toBe(1);
});
