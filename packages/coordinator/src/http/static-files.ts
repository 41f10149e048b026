/** Files of a folder over HTTP: the page, and pictures. Nothing outside the folder is ever served, links or not. */
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import type { ServerResponse } from "node:http";
import { extname, normalize, sep } from "node:path";
import { pipeline } from "node:stream/promises";
import { fileInside } from "../run/inside.js";

const CONTENT_TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".json": "application/json; charset=utf-8",
  ".map": "application/json; charset=utf-8",
  ".svg": "image/svg+xml",
  ".png": "image/png",
  ".ico": "image/x-icon",
  ".woff2": "font/woff2",
  ".txt": "text/plain; charset=utf-8",
  ".safetensors": "application/octet-stream",
};

/** What the page may load and whom it may ask: this server and nobody else; no script or style inside the document. */
const PAGE_POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; " +
  "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/** Files whose names change with their content may be kept by the reader. */
const FOREVER = "public, max-age=31536000, immutable";

/**
 * Answers with a file of `folder`; `path` is a decoded URL path.
 * @param immutable the file never changes once it is there
 * @returns false when there is no such file
 */
export async function sendFile(
  response: ServerResponse,
  folder: string,
  path: string,
  immutable: boolean,
): Promise<boolean> {
  const relative = normalize(path).replace(/^[/\\]+/, "");
  const type = CONTENT_TYPES[extname(relative)];
  if (type === undefined || relative.split(sep).includes("..") || relative.includes("\0")) return false;
  const file = await fileInside(folder, relative);
  if (file === undefined) return false;
  const found = await stat(file);
  response.writeHead(200, {
    "content-type": type,
    "content-length": found.size,
    "cache-control": immutable ? FOREVER : "no-cache",
    ...(type.startsWith("text/html") ? { "content-security-policy": PAGE_POLICY } : {}),
  });
  await pipeline(createReadStream(file), response).catch(() => response.destroy());
  return true;
}
