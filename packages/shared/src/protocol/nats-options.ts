/** How to reach NATS, from flags and environment. */

import { InputError, LARGEST_SECRET_BYTES, messageOf, readSmallFile } from "@mzsr/mzsr";
import { type Authenticator, type ConnectionOptions, credsAuthenticator, nkeyAuthenticator } from "nats";
import { readPem } from "./pem.js";

/** Whose answers come to which inbox (`_INBOX.worker.>`), so that a server can keep them apart. */
export type NatsRole = "coordinator" | "worker" | "watcher";

export interface NatsOptions {
  /** One or more of `host:port`, `nats://host:port`, `tls://host:port`. */
  readonly servers: readonly string[];
  readonly user?: string | undefined;
  readonly password?: string | undefined;
  readonly token?: string | undefined;
  /** File with an nkey seed. */
  readonly nkeyFile?: string | undefined;
  /** File with JWT and seed, as `nsc` writes it. */
  readonly credsFile?: string | undefined;
  readonly caFile?: string | undefined;
  readonly certFile?: string | undefined;
  readonly keyFile?: string | undefined;
  readonly role?: NatsRole | undefined;
}

/**
 * NATS options from the environment (MZSR_NATS, MZSR_NATS_USER, …_PASSWORD, …_TOKEN, …_NKEY_FILE, …_CREDS_FILE,
 * …_CA_FILE, …_CERT_FILE, …_KEY_FILE); what `flags` gives goes first. Undefined when no server is named.
 * @throws InputError for a server address that is none
 */
export function natsOptions(
  flags: Partial<Omit<NatsOptions, "servers">> & { readonly servers?: string | undefined },
  env: Readonly<Record<string, string | undefined>>,
): NatsOptions | undefined {
  const servers = (flags.servers ?? env.MZSR_NATS ?? "")
    .split(",")
    .map((s) => s.trim())
    .filter((s) => s !== "");
  if (servers.length === 0) return undefined;
  for (const server of servers) checkServer(server);
  return {
    servers,
    user: flags.user ?? env.MZSR_NATS_USER,
    password: flags.password ?? env.MZSR_NATS_PASSWORD,
    token: flags.token ?? env.MZSR_NATS_TOKEN,
    nkeyFile: flags.nkeyFile ?? env.MZSR_NATS_NKEY_FILE,
    credsFile: flags.credsFile ?? env.MZSR_NATS_CREDS_FILE,
    caFile: flags.caFile ?? env.MZSR_NATS_CA_FILE,
    certFile: flags.certFile ?? env.MZSR_NATS_CERT_FILE,
    keyFile: flags.keyFile ?? env.MZSR_NATS_KEY_FILE,
  };
}

/** What subjects for answers begin with. */
export const INBOX = "_INBOX.";

/**
 * The client library's options: one attempt per call (NatsLink repeats the first), later reconnects for ever.
 * @throws InputError when a key, credentials or certificate file cannot be read
 */
export function connectionOptions(options: NatsOptions, name: string): ConnectionOptions {
  const authenticator = fileAuthenticator(options);
  if (options.caFile !== undefined) readPem("MZSR_NATS_CA_FILE", options.caFile, "certificate");
  if (options.certFile !== undefined) readPem("MZSR_NATS_CERT_FILE", options.certFile, "certificate");
  if (options.keyFile !== undefined) readPem("MZSR_NATS_KEY_FILE", options.keyFile, "private key");
  const tls = {
    ...(options.caFile === undefined ? {} : { caFile: options.caFile }),
    ...(options.certFile === undefined ? {} : { certFile: options.certFile }),
    ...(options.keyFile === undefined ? {} : { keyFile: options.keyFile }),
  };
  return {
    name,
    servers: [...options.servers],
    ...(options.user === undefined ? {} : { user: options.user }),
    ...(options.password === undefined ? {} : { pass: options.password }),
    ...(options.token === undefined ? {} : { token: options.token }),
    ...(authenticator === undefined ? {} : { authenticator }),
    ...(Object.keys(tls).length === 0 ? {} : { tls }),
    ...(options.role === undefined ? {} : { inboxPrefix: `${INBOX}${options.role}` }),
    timeout: 5_000,
    maxReconnectAttempts: -1,
    reconnectTimeWait: 1_000,
    reconnectJitter: 1_000,
    reconnectJitterTLS: 1_000,
    // Credentials may be rotated while a run goes on: an authorisation error is retried like any other.
    ignoreAuthErrorAbort: true,
    pingInterval: 10_000,
    maxPingOut: 2,
  };
}

function fileAuthenticator(options: NatsOptions): Authenticator | undefined {
  if (options.credsFile !== undefined)
    return credsAuthenticator(readSecret(options.credsFile, "NATS credentials file"));
  if (options.nkeyFile === undefined) return undefined;
  const seed = readSecret(options.nkeyFile, "NATS nkey file").toString("utf8").trim();
  return nkeyAuthenticator(Buffer.from(seed, "utf8"));
}

function readSecret(path: string, what: string): Buffer {
  try {
    return readSmallFile(path, LARGEST_SECRET_BYTES);
  } catch (error) {
    throw new InputError(`${what} cannot be read (${messageOf(error)})`, { where: path });
  }
}

function checkServer(server: string): void {
  const text = server.includes("://") ? server : `nats://${server}`;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || url.hostname === "" || !["nats:", "tls:"].includes(url.protocol)) {
    throw new InputError(`${JSON.stringify(server)} is not a NATS server`, {
      expected: "host:port, nats://… or tls://…",
    });
  }
}
