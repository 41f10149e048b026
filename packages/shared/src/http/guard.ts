/** Who is answered over HTTP: requests under a known name that show the secret, where there is one. */
import type { IncomingMessage } from "node:http";
import { visible } from "../protocol/visible.js";
import { HttpError } from "./answers.js";
import { KnownHosts } from "./known-hosts.js";
import { isSameSecret } from "./same-secret.js";

/** Asked by supervisors and load balancers, under any name and without the secret: they tell nothing but that it lives. */
const OPEN_PATHS: ReadonlySet<string> = new Set(["/healthz", "/readyz"]);

export interface HttpGuardOptions {
  /** Names that it answers to beside those that are safe; see `KnownHosts`. */
  readonly allowedHosts?: readonly string[] | undefined;
  /** What a request must show, as a bearer token or as the password of any user. */
  readonly secret?: string | undefined;
}

export class HttpGuard {
  readonly #hosts: KnownHosts;
  readonly #secret: string | undefined;

  /** @param listensOn the interface that is listened on */
  constructor(listensOn: string, { allowedHosts, secret }: HttpGuardOptions = {}) {
    this.#hosts = new KnownHosts(listensOn, allowedHosts);
    this.#secret = secret;
  }

  /** @throws HttpError for a request that is not to be answered */
  admit({ url = "/", headers }: Pick<IncomingMessage, "url" | "headers">): void {
    if (OPEN_PATHS.has(url.split("?", 1)[0]!)) return;
    if (!this.#hosts.accepts(headers.host)) {
      const name = visible(JSON.stringify(headers.host?.slice(0, 100)));
      throw new HttpError(403, `${name} is no name of this server; --allowed-hosts makes it one`);
    }
    if (this.#secret === undefined || isSameSecret(shownIn(headers.authorization), this.#secret)) return;
    throw new HttpError(401, "this needs the secret of --http-token-file, as a bearer token or a password", {
      // A browser asks its user then.
      "www-authenticate": 'Basic realm="mzsr", charset="UTF-8"',
    });
  }
}

/** The bearer token, or the password of basic authentication; empty where there is neither. */
function shownIn(authorization = ""): string {
  const [, scheme = "", value = ""] = /^(\w+) +(\S+)$/.exec(authorization) ?? [];
  if (scheme.toLowerCase() === "bearer") return value;
  if (scheme.toLowerCase() !== "basic") return "";
  const pair = Buffer.from(value, "base64").toString("utf8");
  return pair.slice(pair.indexOf(":") + 1);
}
