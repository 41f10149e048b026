import { startViewServer } from "@mzsr/coordinator";
import { type HttpOptions, httpGuardFrom } from "../cluster/http-access.js";
import { StopSignals } from "../cluster/stop-signals.js";
import type { Terminal } from "../progress/terminal.js";

export interface ViewOptions extends HttpOptions {
  readonly host: string;
  readonly port: number;
}

/** `mzsr view`. @throws InputError for a folder that holds no run, or a port in use */
export async function viewRuns(runs: readonly string[], options: ViewOptions, terminal: Terminal): Promise<void> {
  const { host, port } = options;
  const guard = httpGuardFrom(options);
  const signals = new StopSignals();
  const server = await startViewServer({ runs, host, port, guard, onError: (reason) => terminal.note(reason) });
  terminal.line(`Page ${server.url}`);
  terminal.note("Ctrl-C ends it.");
  await new Promise<void>((resolve) => signals.take(() => resolve()));
  signals.close();
  await server.stop();
}
