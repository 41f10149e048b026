/** What every HTTP server of the cluster answers in the same way. Everything is read-only. */
import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from "node:http";

/** An answer that is an error: an HTTP status and one sentence. */
export class HttpError extends Error {
  override readonly name = "HttpError";
  readonly status: number;
  readonly headers: OutgoingHttpHeaders;

  constructor(status: number, message: string, headers: OutgoingHttpHeaders = {}) {
    super(message);
    this.status = status;
    this.headers = headers;
  }
}

/**
 * On every answer: a browser takes it for what its type says, loads nothing for it, and no other page embeds it. An answer
 * that is a page has a policy of its own.
 */
export const SAFE_HEADERS: Readonly<Record<string, string>> = {
  "content-security-policy": "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
};

export function sendJson(response: ServerResponse, value: unknown, status = 200): void {
  const body = Buffer.from(JSON.stringify(value));
  response.writeHead(status, {
    "content-type": "application/json; charset=utf-8",
    "content-length": body.length,
    "cache-control": "no-store",
  });
  response.end(body);
}

export function sendText(response: ServerResponse, text: string, type = "text/plain; charset=utf-8"): void {
  response.writeHead(200, { "content-type": type, "cache-control": "no-store" });
  response.end(text);
}

/**
 * What a request asks for, its path decoded.
 * @throws HttpError when it does not only ask, or its address cannot be read
 */
export function askedUrl(request: IncomingMessage): URL {
  if (request.method !== "GET" && request.method !== "HEAD") throw new HttpError(405, "only GET is answered here");
  try {
    const url = new URL(request.url ?? "/", "http://coordinator");
    url.pathname = decodeURIComponent(url.pathname);
    return url;
  } catch {
    throw new HttpError(400, "that address cannot be read");
  }
}
