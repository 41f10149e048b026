import { readFile } from "node:fs/promises";
import { ServerCredentials } from "@grpc/grpc-js";
import { InputError, messageOf } from "@mzsr/shared";

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
  const certificate = await readPem(tls.certFile, "CERTIFICATE");
  const key = await readPem(tls.keyFile, "PRIVATE KEY");
  const authority = tls.clientCaFile === undefined ? null : await readPem(tls.clientCaFile, "CERTIFICATE");
  try {
    return ServerCredentials.createSsl(authority, [{ cert_chain: certificate, private_key: key }], authority !== null);
  } catch (thrown) {
    throw new InputError(`certificate and key are not usable (${messageOf(thrown)})`, { where: tls.certFile });
  }
}

async function readPem(path: string, kind: string): Promise<Buffer> {
  let content: Buffer;
  try {
    content = await readFile(path);
  } catch (thrown) {
    throw new InputError(`cannot be read (${messageOf(thrown)})`, { where: path, expected: "a PEM file" });
  }
  if (!content.includes(`${kind}-----`)) {
    throw new InputError(`holds no ${kind.toLowerCase()}`, { where: path, expected: "a PEM file" });
  }
  return content;
}
