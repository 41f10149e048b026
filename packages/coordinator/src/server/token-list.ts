/**
 * The list of a cluster's join tokens: a file of JSON lines that `mzsr token` writes and coordinators read. It names tokens, and
 * holds none.
 */
import { readFile } from "node:fs/promises";
import { messageOf } from "@mzsr/mzsr";

/** A line: a token that was made, or one that was revoked. */
export type TokenListLine =
  | {
      readonly made: string;
      readonly run: string;
      /** Seconds since 1970. */
      readonly expires: number;
      readonly note?: string;
    }
  | { readonly revoked: string };

/** @throws SyntaxError for a line that is none */
export function parseTokenList(text: string): TokenListLine[] {
  return text
    .split("\n")
    .filter((line) => line.trim() !== "")
    .map((line) => JSON.parse(line) as TokenListLine);
}

export interface ListWatching {
  /** Tokens were revoked since the start. */
  readonly onRevoked: () => void;
  /** It cannot be read; what was known stays. Told once of each problem. */
  readonly onProblem: (reason: string) => void;
  readonly everyMs?: number;
}

const LOOK_MS = 5_000;

/** What of the list a coordinator needs: read at its start and again when it changes. */
export class RevokedTokens {
  readonly #path: string;
  readonly #watching: ListWatching;
  #ids: ReadonlySet<string> = new Set();
  #text = "";
  #told: string | undefined;
  #looking = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(path: string, watching: ListWatching) {
    this.#path = path;
    this.#watching = watching;
  }

  get ids(): ReadonlySet<string> {
    return this.#ids;
  }

  async start(): Promise<void> {
    await this.#look();
    this.#timer = setInterval(() => void this.#look(), this.#watching.everyMs ?? LOOK_MS).unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** One at a time: of two, the one that began first could end last, and put an old list in the place of a new one. */
  async #look(): Promise<void> {
    if (this.#looking) return;
    this.#looking = true;
    try {
      const text = await this.#read();
      this.#told = undefined;
      if (text === this.#text) return;
      const ids = new Set(parseTokenList(text).flatMap((line) => ("revoked" in line ? [line.revoked] : [])));
      this.#text = text;
      const more = [...ids].some((id) => !this.#ids.has(id));
      this.#ids = ids;
      if (more && this.#timer !== undefined) this.#watching.onRevoked();
    } catch (thrown) {
      const problem = messageOf(thrown);
      if (problem !== this.#told) this.#watching.onProblem(problem);
      this.#told = problem;
    } finally {
      this.#looking = false;
    }
  }

  /** A list that was never written is empty; one that is gone is a problem. */
  async #read(): Promise<string> {
    try {
      return await readFile(this.#path, "utf8");
    } catch (thrown) {
      if (this.#text === "" && (thrown as NodeJS.ErrnoException).code === "ENOENT") return "";
      throw thrown;
    }
  }
}
