/** The page without a coordinator: finished runs, opened from their folders (`mzsr view`). */
import { resolve } from "node:path";
import { InputError } from "@mzsr/mzsr";
import { type HttpGuardOptions, startHttpServer } from "@mzsr/shared";
import { builtPage } from "./page.js";
import { Routes } from "./routes.js";
import { ChosenRuns } from "./run-folders.js";

export interface ViewServerOptions {
  /** Run folders; the first is shown, and the others are compared with it, as many as the page draws. */
  readonly runs: readonly string[];
  /** The interface to listen on. */
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
  /** Who is answered. */
  readonly guard?: HttpGuardOptions | undefined;
  /** Told of failures that are ours. */
  readonly onError: (reason: string) => void;
}

export interface ViewServer {
  /** Address of the page, as it shows the runs that were asked for. */
  readonly url: string;
  stop(): Promise<void>;
}

/** @throws InputError for a folder that holds no run, or a port in use */
export async function startViewServer({ runs, host, port, guard, onError }: ViewServerOptions): Promise<ViewServer> {
  const folders = [...new Set(runs.map((run) => resolve(run)))];
  const chosen = new ChosenRuns(folders);
  for (const [at, name] of chosen.names.entries()) {
    if ((await chosen.find(name)) !== undefined) continue;
    throw new InputError("no run in it", { where: folders[at]!, expected: "a run folder with a valid config.yaml" });
  }
  const routes = new Routes({ live: undefined, archive: chosen, page: builtPage() });
  const server = await startHttpServer({
    host,
    port,
    flags: { host: "--host", port: "--port" },
    routes,
    guard,
    onError,
  });
  const [run = "", ...compared] = chosen.names;
  const query = new URLSearchParams({ run });
  for (const name of compared) query.append("compare", name);
  const authority = host.includes(":") ? `[${host}]:${server.port}` : `${host}:${server.port}`;
  return { url: `http://${authority}/?${query}`, stop: () => server.stop() };
}
