import { startViewServer } from "@mzsr/coordinator";
import { StopSignals } from "../cluster/stop-signals.js";
import type { Terminal } from "../progress/terminal.js";

export interface ViewOptions {
  readonly host: string;
  readonly port: number;
}

/** `mzsr view`. @throws InputError for a folder that holds no run, or a port in use */
export async function viewRuns(
  runs: readonly string[],
  { host, port }: ViewOptions,
  terminal: Terminal,
): Promise<void> {
  const signals = new StopSignals();
  const server = await startViewServer({ runs, host, port, onError: (reason) => terminal.note(reason) });
  terminal.line(`Page ${server.url}`);
  terminal.note("Ctrl-C ends it.");
  await new Promise<void>((resolve) => signals.take(() => resolve()));
  signals.close();
  await server.stop();
}
