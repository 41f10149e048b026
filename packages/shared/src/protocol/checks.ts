/** Small checks for what arrives from outside: each returns the value or throws an InputError that names the field. */
import { InputError } from "@mzsr/mzsr";
import { isVisible, visible } from "./visible.js";

/** A whole number from `min` to `max`. */
export function wholeNumber(value: unknown, where: string, min: number, max: number): number {
  if (typeof value !== "number" || !Number.isInteger(value) || value < min || value > max) {
    throw new InputError(`${shown(value)} is not valid`, { where, expected: `a whole number from ${min} to ${max}` });
  }
  return value;
}

/** A finite number from `min` to `max`. */
export function finiteNumber(value: unknown, where: string, min = -Infinity, max = Infinity): number {
  if (typeof value !== "number" || !Number.isFinite(value) || value < min || value > max) {
    const bounds = min === -Infinity && max === Infinity ? "" : ` from ${min} to ${max}`;
    throw new InputError(`${shown(value)} is not valid`, { where, expected: `a finite number${bounds}` });
  }
  return value;
}

/** A string of `min` to `max` printable characters. */
export function printable(value: unknown, where: string, min: number, max: number): string {
  if (typeof value !== "string" || value.length < min || value.length > max || !isVisible(value)) {
    throw new InputError(`${shown(value)} is not valid`, { where, expected: `${min} to ${max} printable characters` });
  }
  return value;
}

/** One of a list of names. */
export function oneOf<T extends string>(value: unknown, where: string, names: readonly T[]): T {
  if (!names.includes(value as T)) {
    throw new InputError(`${shown(value)} is not known`, { where, expected: `one of ${names.join(", ")}` });
  }
  return value as T;
}

/** A part of a message that must be there. */
export function present<T>(value: T | null | undefined, where: string): T {
  if (value === null || value === undefined) throw new InputError("is missing", { where });
  return value;
}

/** A list of at most `max` items. */
export function atMost<T>(items: readonly T[], where: string, max: number): readonly T[] {
  if (items.length > max)
    throw new InputError(`${items.length} items are too many`, { where, expected: `at most ${max}` });
  return items;
}

/** The value as an error shows it: JSON, cut to a length that fits on a line. */
function shown(value: unknown): string {
  const text = typeof value === "number" ? String(value) : (JSON.stringify(value) ?? String(value));
  return visible(text.length > 60 ? `${text.slice(0, 57)}...` : text);
}
