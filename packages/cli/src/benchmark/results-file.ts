/** What was measured already, a line of JSON for each job: written as it comes, so that a benchmark goes on after a stop. */
import { appendFile, readFile, truncate } from "node:fs/promises";
import { InputError, RunError, reasonOf } from "@mzsr/mzsr";
import type { JobResult } from "./job.js";

export class ResultsFile {
  readonly #path: string;
  readonly #known: ReadonlyMap<string, JobResult>;
  #writing: Promise<void> = Promise.resolve();

  private constructor(path: string, known: ReadonlyMap<string, JobResult>) {
    this.#path = path;
    this.#known = known;
  }

  /**
   * A last line that a stop cut short is taken away.
   * @throws InputError for a file that holds something else, or cannot be written
   */
  static async open(path: string): Promise<ResultsFile> {
    const text = await readFile(path, "utf8").catch((thrown: NodeJS.ErrnoException) => {
      if (thrown.code === "ENOENT") return "";
      throw new InputError(`cannot be read (${reasonOf(thrown)})`, { where: path });
    });
    const whole = text.slice(0, text.lastIndexOf("\n") + 1);
    const results = whole
      .split("\n")
      .filter(Boolean)
      .map((line, i) => parse(line, `${path}:${i + 1}`));
    try {
      if (whole.length < text.length) await truncate(path, Buffer.byteLength(whole));
      await appendFile(path, "");
    } catch (thrown) {
      throw new InputError(`cannot be written (${reasonOf(thrown)})`, { where: path });
    }
    return new ResultsFile(path, new Map(results.map((result) => [result.key, result])));
  }

  known(key: string): JobResult | undefined {
    return this.#known.get(key);
  }

  add(result: JobResult): void {
    this.#writing = this.#writing.then(() => appendFile(this.#path, `${JSON.stringify(result)}\n`));
    // Whoever waits for `written` hears of a failure.
    this.#writing.catch(() => undefined);
  }

  /** @throws RunError when something could not be written */
  async written(): Promise<void> {
    await this.#writing.catch((thrown: unknown) => {
      throw new RunError(`${this.#path} cannot be written (${reasonOf(thrown)})`, { cause: thrown });
    });
  }
}

function parse(line: string, where: string): JobResult {
  try {
    const result = JSON.parse(line) as JobResult;
    if (typeof result.key === "string" && Array.isArray(result.methods)) return result;
  } catch {
    // Told below.
  }
  throw new InputError("is no result of a benchmark", {
    where,
    expected: "a folder that mzsr benchmark --report made",
  });
}
