import { createSecureContext, DEFAULT_CIPHERS, type SecureContextOptions } from "node:tls";
import { ServerCredentials } from "@grpc/grpc-js";
import { InputError, messageOf } from "@mzsr/mzsr";
import { readPem } from "@mzsr/shared";

/** PEM files for encrypted sessions. */
export interface TlsOptions {
  readonly certFile: string;
  readonly keyFile: string;
  /** When given, workers must show a certificate that this authority signed (mTLS). */
  readonly clientCaFile?: string | undefined;
}

/**
 * Node.js' own, the one that costs least for gradients first: with AES-256 a coordinator pays some tenth more for the same bytes.
 */
const CIPHERS: SecureContextOptions = {
  ciphers: ["TLS_AES_128_GCM_SHA256", ...DEFAULT_CIPHERS.split(":")].join(":"),
  honorCipherOrder: true,
};

/** How often the files are looked at. */
const LOOK_MS = 10_000;

export interface Watching {
  /** The files have changed, and new connections get what they hold now. */
  readonly onReload: () => void;
  /** The files have changed to something unusable; what was read before stays in use. Told once of each problem. */
  readonly onProblem: (reason: string) => void;
  readonly everyMs?: number;
}

interface Pems {
  readonly certificate: Buffer;
  readonly key: Buffer;
  /** Null where workers need no certificate. */
  readonly authority: Buffer | null;
}

/**
 * What the gRPC server shows and asks for; plain text without `tls`.
 * @throws InputError when a file cannot be read or holds no usable key or certificate
 */
export async function serverCredentials(tls: TlsOptions | undefined): Promise<ServerCredentials> {
  if (tls === undefined) return ServerCredentials.createInsecure();
  const pems = readFiles(tls);
  const { certificate, key, authority } = pems;
  const pair = { cert_chain: certificate, private_key: key };
  const credentials = ServerCredentials.createSsl(authority, [pair], authority !== null);
  use(credentials, pems);
  return credentials;
}

/** Has connections that come from now on see these. */
function use(credentials: ServerCredentials, { certificate, key, authority }: Pems): void {
  const inside = credentials as unknown as Reloadable;
  if (inside.updateSecureContextOptions === undefined) {
    throw new Error("this version of @grpc/grpc-js changes its certificates in another way");
  }
  inside.updateSecureContextOptions({
    ...CIPHERS,
    cert: [certificate],
    key: [key],
    ...(authority === null ? {} : { ca: authority }),
  });
}

/** @throws InputError for files that TLS would refuse */
function readFiles(tls: TlsOptions): Pems {
  const certificate = readPem("--tls-cert", tls.certFile, "certificate");
  const key = readPem("--tls-key", tls.keyFile, "private key");
  const authority = tls.clientCaFile === undefined ? null : readPem("--tls-ca", tls.clientCaFile, "certificate");
  try {
    createSecureContext({ cert: certificate, key, ...(authority === null ? {} : { ca: authority }) });
  } catch (thrown) {
    throw new InputError(`certificate and key are not usable (${messageOf(thrown)})`, { where: tls.certFile });
  }
  return { certificate, key, authority };
}

/** What grpc-js has for it, and keeps to itself. */
interface Reloadable {
  updateSecureContextOptions?: (options: SecureContextOptions) => void;
}

/**
 * Reads the files again when they change. They are looked at from time to time rather than watched: a secret that
 * Kubernetes mounts changes by a link, and some file systems tell of nothing. Connections that are open stay as they are.
 *
 * @param credentials made from these files
 * @returns what ends it
 */
export function watchCredentials(
  credentials: ServerCredentials,
  tls: TlsOptions,
  { onReload, onProblem, everyMs = LOOK_MS }: Watching,
): () => void {
  let used = readFiles(tls);
  let told: string | undefined;
  const look = () => {
    try {
      const now = readFiles(tls);
      told = undefined;
      if (isSame(now, used)) return;
      used = now;
      use(credentials, now);
      onReload();
    } catch (thrown) {
      const problem = messageOf(thrown);
      if (problem !== told) onProblem(problem);
      told = problem;
    }
  };
  const timer = setInterval(look, everyMs).unref();
  return () => clearInterval(timer);
}

function isSame(a: Pems, b: Pems): boolean {
  const authorities = a.authority === null ? b.authority === null : b.authority?.equals(a.authority) === true;
  return authorities && a.certificate.equals(b.certificate) && a.key.equals(b.key);
}
