/** A part of a buffer, in bytes; the offset is a multiple of 256. */
export interface Slice {
  readonly region: string;
  readonly offset: number;
  readonly size: number;
}

/** One dispatch: a kernel over its grid for `tasks` tasks, with its bindings by name. */
export interface Command {
  readonly kernel: string;
  readonly bindings: Readonly<Record<string, Slice>>;
  readonly tasks: number;
}
