/** What `mzsr studio` answers: all of it below a secret, which its address has. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { LARGEST_IMAGE_FILE_BYTES } from "@mzsr/mzsr";
import { HttpError, type HttpRoutes, isSameSecret } from "@mzsr/shared";
import { COMPARISON_POLICY } from "../inspect/comparison-files.js";
import { STUDIO_PAGE, STUDIO_POLICY } from "./studio-page.js";
import type { StudioPhotos } from "./studio-photos.js";

const LONGEST_NAME = 200;

export class StudioRoutes implements HttpRoutes {
  readonly #secret: string;
  readonly #photos: StudioPhotos;

  /** @param secret the first part of every path */
  constructor(secret: string, photos: StudioPhotos) {
    this.#secret = secret;
    this.#photos = photos;
  }

  /** @throws HttpError */
  async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname, searchParams } = new URL(request.url ?? "/", "http://studio");
    const [, secret = "", path] = /^\/([^/]*)\/(.*)$/.exec(pathname) ?? [];
    if (path === undefined || !isSameSecret(secret, this.#secret)) {
      throw new HttpError(404, "open the address that mzsr studio printed");
    }
    response.setHeader("cache-control", "no-store");
    if (path === "photos") return this.#enlarge(request, response, searchParams.get("name") ?? "photo");
    if (request.method !== "GET") throw new HttpError(405, "only GET is answered here");
    if (path === "") return send(response, STUDIO_POLICY, "text/html; charset=utf-8", STUDIO_PAGE);
    const [, id, file] = /^photos\/([\w-]+)\/([\w.]*)$/.exec(path) ?? [];
    const result = id === undefined ? undefined : this.#photos.result(id);
    if (result === undefined) throw new HttpError(404, "this photo is not kept any more");
    if (file === "result") {
      response.setHeader("content-disposition", `attachment; filename*=UTF-8''${encodeURIComponent(result.file)}`);
      return send(response, COMPARISON_POLICY, "image/png", result.bytes);
    }
    const content = result.comparison.get(file!);
    if (content === undefined) throw new HttpError(404, `there is no ${file}`);
    send(response, `${COMPARISON_POLICY}; frame-ancestors 'self'`, content.type, content.body);
  }

  /** Answers with the photo's events as they come. A page that goes away ends the work. */
  async #enlarge(request: IncomingMessage, response: ServerResponse, name: string): Promise<void> {
    if (request.method !== "POST") throw new HttpError(405, "a photo is sent by POST");
    const { origin, host } = request.headers;
    if (origin !== undefined && origin !== `http://${host}`)
      throw new HttpError(403, "another page may not send photos");
    const bytes = await bodyOf(request);
    const gone = new AbortController();
    response.on("close", () => gone.abort(new Error("the page has gone")));
    response.writeHead(200, { "content-type": "application/x-ndjson; charset=utf-8" });
    const tell = (event: string) => void response.write(`${event}\n`);
    await this.#photos.enlarge({ name: name.slice(0, LONGEST_NAME), bytes }, tell, gone.signal);
    response.end();
  }
}

/** @throws HttpError for more than an image file may have */
async function bodyOf(request: IncomingMessage): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    length += chunk.length;
    if (length > LARGEST_IMAGE_FILE_BYTES) throw new HttpError(413, `more than ${LARGEST_IMAGE_FILE_BYTES} bytes`);
  }
  return Buffer.concat(chunks);
}

function send(response: ServerResponse, policy: string, type: string, body: string | Uint8Array): void {
  response.writeHead(200, { "content-security-policy": policy, "content-type": type });
  response.end(body);
}
