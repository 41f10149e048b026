import { InputError, LARGEST_SECRET_BYTES, messageOf, readSmallFile } from "@mzsr/mzsr";

/** What a PEM file is to hold. */
export type PemKind = "certificate" | "private key";

/** The line before it; a key's says its kind, too (EC, RSA, ENCRYPTED). */
const BEGINNINGS: Readonly<Record<PemKind, RegExp>> = {
  certificate: /-----BEGIN ([A-Z0-9]+ )?CERTIFICATE-----/,
  "private key": /-----BEGIN ([A-Z]+ )?PRIVATE KEY-----/,
};

/**
 * The bytes of a PEM file that holds what is expected of it. TLS itself takes any other, and fails much later with words
 * that name no file.
 *
 * @param option flag or environment variable that named the file
 * @throws InputError when it cannot be read, or holds no such thing
 */
export function readPem(option: string, path: string, kind: PemKind): Buffer {
  const detail = { where: `${option} ${path}`, expected: `a PEM file with a ${kind}` };
  let content: Buffer;
  try {
    content = readSmallFile(path, LARGEST_SECRET_BYTES);
  } catch (thrown) {
    throw new InputError(`cannot be read (${messageOf(thrown)})`, detail);
  }
  if (!BEGINNINGS[kind].test(content.toString("latin1"))) throw new InputError(`holds no ${kind}`, detail);
  return content;
}
