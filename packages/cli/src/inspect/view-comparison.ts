import { readFile, stat } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import { basename, extname } from "node:path";
import { InputError, readPhoto } from "@mzsr/mzsr";
import { startHttpServer } from "@mzsr/shared";
import { httpGuardFrom } from "../cluster/http-access.js";
import { StopSignals } from "../cluster/stop-signals.js";
import { COMPARISON } from "../photos/upscale/comparison.js";
import type { Terminal } from "../progress/terminal.js";
import { COMPARISON_POLICY, type Content, comparisonFiles } from "./comparison-files.js";
import type { ViewOptions } from "./view-runs.js";

const TYPES: Readonly<Record<string, string>> = {
  ".png": "image/png",
  ".webp": "image/webp",
  ".jpg": "image/jpeg",
  ".jpeg": "image/jpeg",
};

/** Whether what a user wants to view is a file, and so no run. */
export async function isPicture(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isFile() === true;
}

/** `mzsr view` of a picture that `mzsr upscale --compare` wrote. @throws InputError for another file, or a port in use */
export async function viewComparison(path: string, options: ViewOptions, terminal: Terminal): Promise<void> {
  const { host, port } = options;
  const guard = httpGuardFrom(options);
  const pages = await pagesOf(path);
  const signals = new StopSignals();
  const routes = {
    answer: async (request: IncomingMessage, response: ServerResponse) => answer(pages, request, response),
  };
  const flags = { host: "--host", port: "--port" };
  const server = await startHttpServer({
    host,
    port,
    flags,
    routes,
    guard,
    onError: (reason) => terminal.note(reason),
  });
  terminal.line(`Page http://${host.includes(":") ? `[${host}]` : host}:${server.port}/`);
  terminal.note("Ctrl-C ends it.");
  await new Promise<void>((resolve) => signals.take(() => resolve()));
  signals.close();
  await server.stop();
}

/** What there is, by its path. */
async function pagesOf(path: string): Promise<ReadonlyMap<string, Content>> {
  const type = TYPES[extname(path).toLowerCase()];
  const expected = "a run folder, or a picture that mzsr upscale --compare wrote";
  if (type === undefined) throw new InputError("is no such picture", { where: path, expected });
  const { width, height, carried } = await readPhoto(path);
  const described = Buffer.from(carried?.exif ?? []).includes(COMPARISON);
  if (!described) throw new InputError("is no picture of before and after", { where: path, expected });
  return comparisonFiles({ name: basename(path), width: width / 2, height }, { type, body: await readFile(path) });
}

function answer(pages: ReadonlyMap<string, Content>, request: IncomingMessage, response: ServerResponse): void {
  const found = pages.get(new URL(request.url ?? "/", "http://page").pathname.slice(1));
  if (found === undefined || request.method !== "GET") {
    response.writeHead(found === undefined ? 404 : 405).end();
    return;
  }
  response.writeHead(200, {
    "content-type": found.type,
    "content-security-policy": `${COMPARISON_POLICY}; frame-ancestors 'none'`,
  });
  response.end(found.body);
}
