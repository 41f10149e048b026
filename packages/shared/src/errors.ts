/**
 * The two kinds of failure that a user meets. Commands map them to exit codes: bad input is 2, a failure later is 1.
 */

/** Something from outside (flag, file, image, message, environment) is not usable. */
export class InputError extends Error {
  override readonly name = "InputError";
  readonly where: string | undefined;
  readonly expected: string | undefined;

  /**
   * @param what what is wrong, with the offending value
   * @param detail `where` it was found (file, key, flag) and what was `expected` instead
   */
  constructor(what: string, detail: { where?: string; expected?: string } = {}) {
    super(
      `${detail.where === undefined ? "" : `${detail.where}: `}${what}${detail.expected === undefined ? "" : `; expected ${detail.expected}`}`,
    );
    this.where = detail.where;
    this.expected = detail.expected;
  }
}

/** The input was fine and the work still failed (a peer vanished, a disk filled up). */
export class RunError extends Error {
  override readonly name = "RunError";
}

/** The message of whatever was thrown, for logs and one-line errors. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
