import { type ChannelCredentials, credentials } from "@grpc/grpc-js";
import { InputError } from "@mzsr/mzsr";
import { readPem } from "@mzsr/shared";

/** TLS towards the coordinator. Without a certificate of its own the worker only checks the coordinator's. */
export interface ClientTls {
  /** PEM file of the authority that signed the coordinator's certificate; the system's authorities by default. */
  readonly caFile?: string | undefined;
  readonly certFile?: string | undefined;
  readonly keyFile?: string | undefined;
}

/** @throws InputError when a file cannot be read or holds something else, or a certificate comes without its key */
export function channelCredentials(tls: ClientTls | undefined): ChannelCredentials {
  if (tls === undefined) return credentials.createInsecure();
  if ((tls.certFile === undefined) !== (tls.keyFile === undefined)) {
    throw new InputError("a certificate and its key come together", { expected: "both files, or neither" });
  }
  return credentials.createSsl(
    tls.caFile === undefined ? null : readPem("--tls-ca", tls.caFile, "certificate"),
    tls.keyFile === undefined ? null : readPem("--tls-key", tls.keyFile, "private key"),
    tls.certFile === undefined ? null : readPem("--tls-cert", tls.certFile, "certificate"),
  );
}
