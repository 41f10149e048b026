/** What `mzsr upscale` tells: a line for each photo, those that failed at the end. */
import { InputError, messageOf, RunError } from "@mzsr/mzsr";
import { counted, duration, significant } from "../../progress/numbers.js";
import type { Terminal } from "../../progress/terminal.js";
import type { PhotoReport, PhotoTask } from "./enlarge-file.js";

export interface ReportOptions {
  /** One line of JSON for each photo. */
  readonly json?: boolean;
  /** Nothing but JSON and what failed. */
  readonly quiet?: boolean;
}

export class UpscaleReport {
  readonly #options: ReportOptions;
  readonly #terminal: Terminal;
  readonly #failures: string[] = [];
  #done = 0;

  constructor(options: ReportOptions, terminal: Terminal) {
    this.#options = options;
    this.#terminal = terminal;
  }

  get quiet(): boolean {
    return this.#options.quiet === true;
  }

  note(text: string): void {
    if (!this.quiet) this.#terminal.note(text);
  }

  noteOn({ input }: PhotoTask, text: string): void {
    this.note(`${input.name}: ${text}`);
  }

  done({ output }: PhotoTask, report: PhotoReport): void {
    this.#done++;
    const { width, height, seconds } = report;
    const place = output.path ?? "standard output";
    const line = `${place}: ${width}×${height} in ${duration(seconds)} (${stepsOf(report)})`;
    if (this.#options.json === true) this.#terminal.jsonLine({ output: output.path ?? null, ...report });
    else if (output.path === undefined) this.note(line);
    else if (!this.quiet) this.#terminal.line(line);
  }

  failed({ input }: PhotoTask, thrown: unknown): void {
    // What was typed is told first, and not twice.
    const reason =
      thrown instanceof InputError && thrown.where === input.name ? withoutPlace(thrown) : messageOf(thrown);
    this.#failures.push(`${input.name}: ${reason}`);
    if (this.#options.json === true) this.#terminal.jsonLine({ input: input.name, error: reason });
    else this.note(`${input.name} failed: ${reason}`);
  }

  /** @throws RunError, which lists what failed */
  end(): void {
    const failed = this.#failures.length;
    if (failed === 0) return;
    const others = this.#done === 0 ? "none was enlarged" : "the others were enlarged";
    throw new RunError(`${failed} of ${counted(failed + this.#done, "photo")} failed; ${others}`, {
      items: this.#failures,
    });
  }
}

/** `10 steps, loss 0.01234 → 0.01101`; `2850 steps of ZSSR until it learned nothing more, loss 0.00987`; `bicubic`. */
function stepsOf({ method, updates, losses, loss_after, converged }: PhotoReport): string {
  const [first] = losses;
  const steps = counted(updates, "step");
  if (method === "bicubic") return method;
  if (method === "zssr") {
    const end = converged === true ? " until it learned nothing more" : "";
    return `${steps} of ZSSR${end}, loss ${significant(loss_after)}`;
  }
  return first === undefined ? steps : `${steps}, loss ${significant(first)} → ${significant(loss_after)}`;
}

function withoutPlace({ what, expected }: InputError): string {
  return expected === undefined ? what : `${what}; expected ${expected}`;
}
