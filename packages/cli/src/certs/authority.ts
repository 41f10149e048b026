/**
 * A private authority: what signs the certificates of a cluster's coordinators and workers. Keys are ECDSA on P-256, made by
 * the platform's own cryptography; certificates are X.509 v3 (RFC 5280), put together by @peculiar/x509.
 */
import "reflect-metadata";
import { randomBytes, webcrypto } from "node:crypto";
import { isIP } from "node:net";
import * as x509 from "@peculiar/x509";

/** A certificate and its key, as PEM. */
export interface KeyPair {
  readonly certificate: string;
  readonly key: string;
}

/** What a certificate is for: TLS lets one be used for nothing else. */
export type Purpose = "server" | "client";

/** From when to when a certificate is valid. */
export interface Validity {
  readonly notBefore: Date;
  readonly notAfter: Date;
}

const KEY = { name: "ECDSA", namedCurve: "P-256" };
const SIGNATURE = { name: "ECDSA", hash: "SHA-256" };
/** Clocks differ: a certificate is valid from a little before it is made. */
const CLOCK_MS = 3_600_000;
const DAY_MS = 86_400_000;

/** From now on, for so many days. */
export function validFor(days: number, now = Date.now()): Validity {
  return { notBefore: new Date(now - CLOCK_MS), notAfter: new Date(now + days * DAY_MS) };
}

/** A new authority; or the same one for longer, with the key that it has: what it signed stays good. */
export async function makeAuthority(name: string, validity: Validity, old?: KeyPair): Promise<KeyPair> {
  const { keys, key } = await keysOf(old?.key);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: serialNumber(),
    name: old === undefined ? commonName(name) : new x509.X509Certificate(old.certificate).subject,
    ...validity,
    signingAlgorithm: SIGNATURE,
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey, false),
    ],
  });
  return { certificate: pem(certificate), key };
}

/**
 * A certificate that an authority signs.
 * @param names of a server: the host names and addresses under which it is reached, the first of them its common name; of a
 *   client: its name
 */
export async function issue(
  authority: KeyPair,
  purpose: Purpose,
  names: readonly string[],
  validity: Validity,
  oldKey?: string,
): Promise<KeyPair> {
  const signer = new x509.X509Certificate(authority.certificate);
  const { keys, key } = await keysOf(oldKey);
  const alternatives = names.map((value) => ({ type: isIP(value) === 0 ? "dns" : "ip", value }) as const);
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: serialNumber(),
    subject: commonName(names[0]!),
    issuer: signer.subject,
    ...validity,
    signingAlgorithm: SIGNATURE,
    signingKey: (await keysOf(authority.key)).keys.privateKey,
    publicKey: keys.publicKey,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage[purpose === "server" ? "serverAuth" : "clientAuth"]]),
      ...(purpose === "server" ? [new x509.SubjectAlternativeNameExtension([...alternatives])] : []),
      await x509.AuthorityKeyIdentifierExtension.create(signer.publicKey, false),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey, false),
    ],
  });
  return { certificate: pem(certificate), key };
}

/** The same certificate for longer, with the key that it has. */
export async function renew(authority: KeyPair, { certificate, key }: KeyPair, validity: Validity): Promise<KeyPair> {
  const old = new x509.X509Certificate(certificate);
  const names = old.getExtension(x509.SubjectAlternativeNameExtension)?.names.items.map(({ value }) => value);
  const purpose = names === undefined ? "client" : "server";
  return issue(authority, purpose, names ?? [commonNameOf(old)], validity, key);
}

/** How long a certificate is valid, of its whole life and from now on, in milliseconds. */
export function lifeOf(certificate: string, now = Date.now()): { readonly wholeMs: number; readonly leftMs: number } {
  const { notBefore, notAfter } = new x509.X509Certificate(certificate);
  return { wholeMs: notAfter.getTime() - notBefore.getTime(), leftMs: notAfter.getTime() - now };
}

async function keysOf(
  old: string | undefined,
): Promise<{ readonly keys: webcrypto.CryptoKeyPair; readonly key: string }> {
  if (old === undefined) {
    const keys = (await webcrypto.subtle.generateKey(KEY, true, ["sign", "verify"])) as webcrypto.CryptoKeyPair;
    const bytes = await webcrypto.subtle.exportKey("pkcs8", keys.privateKey);
    return { keys, key: `${x509.PemConverter.encode(bytes, "PRIVATE KEY")}\n` };
  }
  const bytes = x509.PemConverter.decodeFirst(old);
  const privateKey = await webcrypto.subtle.importKey("pkcs8", bytes, KEY, true, ["sign"]);
  const { d: _, ...open } = await webcrypto.subtle.exportKey("jwk", privateKey);
  const publicKey = await webcrypto.subtle.importKey("jwk", { ...open, key_ops: ["verify"] }, KEY, true, ["verify"]);
  return { keys: { privateKey, publicKey } as webcrypto.CryptoKeyPair, key: old };
}

/** Names are checked before: nothing in them means something to a distinguished name. */
function commonName(name: string): string {
  return `CN=${name}`;
}

function commonNameOf({ subjectName }: x509.X509Certificate): string {
  return subjectName.getField("CN")[0]!;
}

/** Random, positive, and not longer than 20 bytes (RFC 5280). */
function serialNumber(): string {
  const bytes = randomBytes(16);
  bytes[0] = (bytes[0]! & 0x7f) | 0x40;
  return bytes.toString("hex");
}

function pem(certificate: x509.X509Certificate): string {
  return `${certificate.toString("pem")}\n`;
}
