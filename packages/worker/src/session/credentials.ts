import { readFileSync } from "node:fs";
import { type ChannelCredentials, credentials } from "@grpc/grpc-js";
import { InputError, messageOf } from "@mzsr/shared";

/** TLS towards the coordinator. Without a certificate of its own the worker only checks the coordinator's. */
export interface ClientTls {
  /** PEM file of the authority that signed the coordinator's certificate; the system's authorities by default. */
  readonly caFile?: string | undefined;
  readonly certFile?: string | undefined;
  readonly keyFile?: string | undefined;
}

/** @throws InputError when a file cannot be read, or a certificate comes without its key */
export function channelCredentials(tls: ClientTls | undefined): ChannelCredentials {
  if (tls === undefined) return credentials.createInsecure();
  if ((tls.certFile === undefined) !== (tls.keyFile === undefined)) {
    throw new InputError("a certificate and its key come together", { expected: "both files, or neither" });
  }
  return credentials.createSsl(read(tls.caFile), read(tls.keyFile), read(tls.certFile));
}

function read(path: string | undefined): Buffer | null {
  if (path === undefined) return null;
  try {
    return readFileSync(path);
  } catch (error) {
    throw new InputError(`TLS file cannot be read (${messageOf(error)})`, { where: path });
  }
}
