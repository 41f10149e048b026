/**
 * The two kinds of failure that a user meets. Commands map them to exit codes: bad input is 2, a failure later is 1.
 */

/** Of a part of a message: a value of 30 MB in a file is told by its beginning. */
const LONGEST_PART = 1000;

/** A text, or its beginning with the length of all. */
export function shortened(text: string, longest = LONGEST_PART): string {
  return text.length <= longest ? text : `${text.slice(0, longest)}… (${text.length} characters)`;
}

/** Something from outside (flag, file, image, message, environment) is not usable. */
export class InputError extends Error {
  override readonly name = "InputError";
  readonly what: string;
  readonly where: string | undefined;
  readonly expected: string | undefined;
  /** Where many things are wrong at once: each of them, a line each, at the end of the message. */
  readonly items: readonly string[];

  /**
   * Each part is shortened when it is very long.
   * @param what what is wrong, with the offending value
   * @param detail `where` it was found (file, key, flag), what was `expected` instead, and the `items` that are wrong
   */
  constructor(what: string, detail: { where?: string; expected?: string; items?: readonly string[] } = {}) {
    const where = detail.where === undefined ? undefined : shortened(detail.where);
    const expected = detail.expected === undefined ? undefined : shortened(detail.expected);
    const place = where === undefined ? "" : `${where}: `;
    super(`${place}${shortened(what)}${expected === undefined ? "" : `; expected ${expected}`}${listed(detail.items)}`);
    this.what = what;
    this.items = detail.items ?? [];
    this.where = where;
    this.expected = expected;
  }
}

/** The input was fine and the work still failed (a peer vanished, a disk filled up). */
export class RunError extends Error {
  override readonly name = "RunError";
  /** Where many things failed: each of them, a line each, at the end of the message. */
  readonly items: readonly string[];

  constructor(what: string, options: ErrorOptions & { items?: readonly string[] } = {}) {
    super(what + listed(options.items), options);
    this.items = options.items ?? [];
  }
}

function listed(items: readonly string[] = []): string {
  return items.map((item) => `\n  ${item}`).join("");
}

const UNKNOWN = "unknown failure";

/** The message of whatever was thrown, for logs and one-line errors: never empty, and never that of nothing. */
export function messageOf(thrown: unknown): string {
  if (!(thrown instanceof Error)) return knownReason(thrown) ?? UNKNOWN;
  // Where every address of a host refused, Node puts the reasons into the parts.
  const parts = thrown instanceof AggregateError ? thrown.errors.map(messageOf).join(", ") : undefined;
  return knownReason(thrown.message) ?? knownReason(parts) ?? knownReason(thrown.cause) ?? thrown.name;
}

/** A text that says something; undefined for one that is empty, or made of a missing value as a library may do. */
export function knownReason(reason: unknown): string | undefined {
  if (reason === undefined || reason === null) return undefined;
  if (reason instanceof Error) return messageOf(reason);
  const text = String(reason).trim();
  return text === "" || text === "undefined" || text === "null" || text === "[object Object]" ? undefined : text;
}
