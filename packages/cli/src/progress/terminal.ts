/** Where a command writes: results to one stream, notes and progress to the other. */

/** The part of a stream that is used. */
export interface TextStream {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string | Uint8Array, done?: (error?: Error | null) => void): unknown;
}

const DEFAULT_COLUMNS = 100;

export class Terminal {
  readonly #out: TextStream;
  readonly #notes: TextStream;

  constructor(out: TextStream, notes: TextStream) {
    this.#out = out;
    this.#notes = notes;
  }

  /** Whether a person watches the progress (and lines may be drawn over). */
  get interactive(): boolean {
    return this.#notes.isTTY === true;
  }

  get columns(): number {
    return this.#notes.columns ?? DEFAULT_COLUMNS;
  }

  /** A line of the result. */
  line(text = ""): void {
    write(this.#out, `${text}\n`);
  }

  /** A value as JSON, indented for people. */
  json(value: unknown): void {
    this.line(JSON.stringify(value, null, 2));
  }

  /** Whether a person reads the result, who has no use for bytes. */
  get resultOnScreen(): boolean {
    return this.#out.isTTY === true;
  }

  /** Bytes as the result. @throws the system's error when nobody takes them */
  async bytes(bytes: Uint8Array): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#out.write(bytes, (error) => (error ? reject(error) : resolve()));
    });
  }

  /** A value as JSON on one line. */
  jsonLine(value: unknown): void {
    this.line(JSON.stringify(value));
  }

  /** A line for the person at the terminal, which no program reads. */
  note(text: string): void {
    write(this.#notes, `${text}\n`);
  }

  /** Raw text beside the result, control sequences included. */
  draw(text: string): void {
    write(this.#notes, text);
  }
}

/** Nobody may be reading any more, and a file may have no room left: what is told is lost then, not what is being done. */
function write(stream: TextStream, text: string): void {
  try {
    stream.write(text);
  } catch {
    // Streams to files throw; the others emit what `outliveReaders` hears.
  }
}
