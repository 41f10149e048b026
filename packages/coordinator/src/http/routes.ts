/** What each path answers (the shapes are in @mzsr/shared's http-api.ts). Everything is read-only. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { basename, dirname } from "node:path";
import {
  askedUrl,
  HttpError,
  type HttpRoutes,
  type PreviewImage,
  type RunListing,
  sendJson,
  sendText,
} from "@mzsr/shared";
import type { HistoryRange } from "../history/step-history.js";
import { readPreviews } from "../previews/preview-files.js";
import { fileInside } from "../run/inside.js";
import { runPaths } from "../run/run-folder.js";
import type { EventStream } from "./event-stream.js";
import type { RunCollection, RunView } from "./run-view.js";
import { scrapeTargets } from "./service-discovery.js";
import { sendFile } from "./static-files.js";

const MOST_EVENTS = 10_000;

const OF_A_LIVE_RUN = new Set(["/metrics", "/readyz", "/sd", "/api/stream"]);

/** A run that a coordinator works on. */
export interface LiveSources {
  readonly view: RunView;
  readonly stream: EventStream;
  /** Prometheus' text format. */
  readonly metricsText: () => Promise<string>;
}

export interface RouteSources {
  /** Undefined where runs are only looked at. */
  readonly live: LiveSources | undefined;
  readonly archive: RunCollection;
  /** Folder of the built page; undefined when it is not built. */
  readonly page: string | undefined;
}

export class Routes implements HttpRoutes {
  readonly #sources: RouteSources;

  constructor(sources: RouteSources) {
    this.#sources = sources;
  }

  /** @throws HttpError */
  async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = askedUrl(request);
    const path = url.pathname;
    if (path === "/healthz") return sendText(response, "ok\n", "text/plain; charset=utf-8");
    if (OF_A_LIVE_RUN.has(path)) return this.#answerAboutLive(path, request, response);
    if (path === "/api/runs") return sendJson(response, await this.#runs());
    if (path === "/model.safetensors") return this.#sendModel(url, response);
    if (path.startsWith("/api/")) return this.#answerAboutRun(url, response);
    return this.#answerPage(path, response);
  }

  async #answerAboutLive(path: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { live } = this.#sources;
    if (live === undefined) throw new HttpError(404, `there is no ${path}: no run is live here`);
    const { view, stream, metricsText } = live;
    if (path === "/metrics") sendText(response, await metricsText(), "text/plain; version=0.0.4; charset=utf-8");
    else if (path === "/sd") sendJson(response, scrapeTargets(view.status(), hostOf(request)));
    else if (path === "/api/stream") stream.open(request, response);
    else if (view.status().phase === "stopping") throw new HttpError(503, "the coordinator is stopping");
    else sendText(response, "ready\n");
  }

  async #answerAboutRun({ pathname, searchParams }: URL, response: ServerResponse): Promise<void> {
    const run = await this.#runNamed(searchParams.get("run"));
    switch (pathname) {
      case "/api/status":
        return sendJson(response, run.status());
      case "/api/metrics":
        return sendJson(response, run.metrics(historyRange(searchParams)));
      case "/api/validations":
        return sendJson(response, run.validations());
      case "/api/events":
        return sendJson(response, run.events(Math.min(MOST_EVENTS, numberOf(searchParams, "last") ?? 500)));
      case "/api/activity":
        return sendJson(response, run.activity(namesIn(searchParams)));
      case "/api/images":
        return sendJson(response, await previewsOf(run.folder));
    }
    const file = /^\/api\/images\/([\w.-]+\.png)$/.exec(pathname)?.[1];
    if (file === undefined) throw new HttpError(404, `there is no ${pathname}`);
    if (await sendFile(response, run.folder, `previews/${file}`, true)) return;
    throw new HttpError(404, `there is no picture ${file}`);
  }

  /** The finished model, to be kept under the run's name. */
  async #sendModel({ searchParams }: URL, response: ServerResponse): Promise<void> {
    const run = await this.#runNamed(searchParams.get("run"));
    const { run: name, step, totalSteps } = run.status();
    response.setHeader("content-disposition", `attachment; filename="${name.replace(/[^\w.-]/g, "_")}.safetensors"`);
    if (await sendFile(response, run.folder, basename(runPaths(run.folder).model), false)) return;
    response.removeHeader("content-disposition");
    throw new HttpError(404, `${name} has no model yet: step ${step} of ${totalSteps}`);
  }

  async #runNamed(name: string | null): Promise<RunView> {
    const { archive } = this.#sources;
    const live = this.#sources.live?.view;
    if (live !== undefined && (name === null || name === live.status().run || name === basename(live.folder)))
      return live;
    const found = await archive.find(name ?? (await archive.list())[0]?.run ?? "");
    if (found === undefined) throw new HttpError(404, name === null ? "there is no run" : `there is no run ${name}`);
    return found;
  }

  async #runs(): Promise<RunListing[]> {
    const status = this.#sources.live?.view.status();
    const live = status === undefined ? [] : [{ run: status.run, live: true, status }];
    return [...live, ...(await this.#sources.archive.list())];
  }

  async #answerPage(path: string, response: ServerResponse): Promise<void> {
    const { page } = this.#sources;
    if (page === undefined) {
      if (path !== "/") throw new HttpError(404, `there is no ${path}`);
      return sendText(response, "The page is not built. The status is at /api/status, metrics at /metrics.\n");
    }
    const file = path === "/" ? "index.html" : path;
    if (await sendFile(response, page, file, path.startsWith("/assets/"))) return;
    throw new HttpError(404, `there is no ${path}`);
  }
}

async function previewsOf(folder: string): Promise<PreviewImage[]> {
  const list = await fileInside(folder, "previews/previews.json");
  return list === undefined ? [] : readPreviews(dirname(list));
}

/** The address under which the asker reached us is the one it can scrape. */
function hostOf(request: IncomingMessage): string {
  const { localAddress, localPort } = request.socket;
  return request.headers.host ?? `${localAddress}:${localPort}`;
}

function historyRange(parameters: URLSearchParams): HistoryRange {
  const [from, to, points] = ["from", "to", "points"].map((name) => numberOf(parameters, name));
  return {
    ...(from === undefined ? {} : { from }),
    ...(to === undefined ? {} : { to }),
    ...(points === undefined ? {} : { points }),
  };
}

function namesIn(parameters: URLSearchParams): string[] | undefined {
  const names = parameters.getAll("worker");
  return names.length === 0 ? undefined : names;
}

function numberOf(parameters: URLSearchParams, name: string): number | undefined {
  const text = parameters.get(name);
  if (text === null || text === "") return undefined;
  if (!/^\d{1,15}$/.test(text)) throw new HttpError(400, `${name} is ${text}, not a whole number`);
  return Number(text);
}
