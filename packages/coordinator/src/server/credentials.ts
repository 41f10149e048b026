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
 * What the gRPC server shows and asks for; plain text without `tls`.
 * @throws InputError when a file cannot be read or holds no usable key or certificate
 */
export async function serverCredentials(tls: TlsOptions | undefined): Promise<ServerCredentials> {
  if (tls === undefined) return ServerCredentials.createInsecure();
  const certificate = readPem("--tls-cert", tls.certFile, "certificate");
  const key = readPem("--tls-key", tls.keyFile, "private key");
  const authority = tls.clientCaFile === undefined ? null : readPem("--tls-ca", tls.clientCaFile, "certificate");
  try {
    return ServerCredentials.createSsl(authority, [{ cert_chain: certificate, private_key: key }], authority !== null);
  } catch (thrown) {
    throw new InputError(`certificate and key are not usable (${messageOf(thrown)})`, { where: tls.certFile });
  }
}
