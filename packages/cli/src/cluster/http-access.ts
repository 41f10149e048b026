/** Who may ask over HTTP, and with which secret this side asks, from flags and environment. */
import { networkInterfaces } from "node:os";
import type { HttpGuardOptions } from "@mzsr/shared";
import { isLoopback, withoutPort } from "@mzsr/shared";
import { secretFrom } from "./link-options.js";

export interface HttpSecretOptions {
  readonly httpTokenFile?: string;
}

export interface HttpOptions extends HttpSecretOptions {
  readonly allowedHosts?: string;
}

/**
 * @param own names that it is reached under by its own account
 * @throws InputError when the file of the secret cannot be read or is empty
 */
export function httpGuardFrom(options: HttpOptions, own: readonly (string | undefined)[] = []): HttpGuardOptions {
  const allowed = namesIn(options.allowedHosts ?? process.env.MZSR_ALLOWED_HOSTS);
  return {
    allowedHosts: [...allowed, ...own.filter((name) => name !== undefined).map(withoutPort)],
    secret: httpSecretFrom(options),
  };
}

/** The secret of the page and the metrics. @throws InputError when the file cannot be read or is empty */
export function httpSecretFrom({ httpTokenFile }: HttpSecretOptions): string | undefined {
  return secretFrom("--http-token-file", httpTokenFile, process.env.MZSR_HTTP_TOKEN);
}

/** What a request shows, where there is a secret. */
export function bearer(secret: string | undefined): Record<string, string> {
  return secret === undefined ? {} : { authorization: `Bearer ${secret}` };
}

/** Names with commas between them. */
export function namesIn(text = ""): string[] {
  return text
    .split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "");
}

/** Whether a URL leads to this machine, by its address. */
export function leadsHere(url: string): boolean {
  const host = withoutPort(new URL(url).host);
  const own = Object.values(networkInterfaces()).flatMap((addresses) => addresses?.map(({ address }) => address) ?? []);
  return isLoopback(host) || own.includes(host);
}
