/** Parsers of option values: each returns the value or throws commander's error, which names the option. */
import { InvalidArgumentError } from "commander";

/** A whole number within a range. */
export function wholeNumber(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() === "" || !Number.isInteger(value) || value < min || value > max) {
      throw new InvalidArgumentError(`Expected a whole number from ${min} to ${max}.`);
    }
    return value;
  };
}

/** A number within a range. */
export function decimal(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() === "" || !(value >= min && value <= max)) {
      throw new InvalidArgumentError(`Expected a number from ${min} to ${max}.`);
    }
    return value;
  };
}

/** Numbers of gradient steps with commas between them, ascending: `0,1,10`. */
export function updateCounts(text: string): number[] {
  const counts = text.split(",").map((part) => wholeNumber(0, 10_000)(part.trim()));
  return [...new Set(counts)].sort((a, b) => a - b);
}

/** Factors of enlargement with commas between them: `2,3`. */
export function scales(text: string): number[] {
  return [...new Set(text.split(",").map((part) => wholeNumber(2, 4)(part.trim())))].sort((a, b) => a - b);
}

/** Where coordinators listen for workers, unless they are told otherwise. */
export const WORKERS_PORT = 7700;

/** `host:port`; of a host alone the usual port. IPv6 in brackets. */
export function hostAndPort(text: string): string {
  const [, host, port = String(WORKERS_PORT)] = /^(\[[0-9a-fA-F:.]+\]|[^\s:/[\]]+)(?::(\d+))?$/.exec(text) ?? [];
  if (host === undefined || !(Number(port) >= 1 && Number(port) <= 65_535)) {
    throw new InvalidArgumentError("Expected host:port, for example 10.0.0.5:7700, or a host.");
  }
  return `${host}:${port}`;
}

const SECONDS_OF: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 };

/** A time with its unit, `30m`, in seconds. */
export function duration(mostDays: number): (text: string) => number {
  return (text) => {
    const [, count, unit] = /^(\d{1,9})([smhd])$/.exec(text.trim()) ?? [];
    const seconds = Number(count) * SECONDS_OF[unit ?? ""]!;
    if (!(seconds > 0 && seconds <= mostDays * 86_400)) {
      throw new InvalidArgumentError(`Expected a time such as 90s, 30m, 2h or 1d, at most ${mostDays} days.`);
    }
    return seconds;
  };
}

export const portNumber = wholeNumber(0, 65_535);

/** A folder or a name. An empty text is most likely a variable that is not set, and would be the working directory. */
export function notEmpty(text: string): string {
  if (text.trim() === "") throw new InvalidArgumentError("Expected a name.");
  return text;
}

/** For options that may be given more than once. */
export function collect(text: string, previous: readonly string[] | undefined): string[] {
  return [...(previous ?? []), text];
}
