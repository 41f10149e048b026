/** `mzsr certs`: a folder with an authority, and the certificates that it signed. */
import { existsSync } from "node:fs";
import { mkdir, readdir } from "node:fs/promises";
import { isIP } from "node:net";
import { join } from "node:path";
import { InputError, LARGEST_SECRET_BYTES, messageOf, readSmallFile, reasonOf, writeFileAtomically } from "@mzsr/mzsr";
import type { Terminal } from "../progress/terminal.js";
import { issue, type KeyPair, lifeOf, makeAuthority, type Purpose, renew, validFor } from "./authority.js";

export interface CertsOptions {
  readonly dir: string;
  readonly days: number;
  readonly force?: boolean;
}

export type CertsAction = "init" | "server" | "client" | "renew";

const AUTHORITY = "ca";
/** An authority outlives what it signs by far: everybody has to be given a new one. */
const AUTHORITY_DAYS = 3_650;
const DAY_MS = 86_400_000;
/** A certificate with less than this share of its life left is renewed. */
const RENEWED_FROM = 1 / 3;

/** @throws InputError for names that mean nothing, files that are in the way or cannot be used */
export async function runCerts(
  action: CertsAction,
  names: readonly string[],
  options: CertsOptions,
  terminal: Terminal,
): Promise<void> {
  const folder = new CertificateFolder(options.dir, options.force === true);
  switch (action) {
    case "init":
      if (names.length > 0) throw new InputError("`certs init` takes no names", { expected: "mzsr certs init" });
      await mkdir(options.dir, { recursive: true, mode: 0o700 });
      await folder.write(AUTHORITY, await makeAuthority("mzsr authority", validFor(AUTHORITY_DAYS)));
      terminal.line(`${folder.certificate(AUTHORITY)}: every coordinator and worker gets it, as --tls-ca`);
      terminal.line(`${folder.key(AUTHORITY)}: stays here; whoever has it makes certificates that are believed`);
      break;
    case "server":
    case "client":
      await issueOne(action, names, options, folder, terminal);
      break;
    case "renew":
      await renewAll(names, options, folder, terminal);
  }
}

async function issueOne(
  purpose: Purpose,
  names: readonly string[],
  { days }: CertsOptions,
  folder: CertificateFolder,
  terminal: Terminal,
): Promise<void> {
  const [first] = names;
  if (first === undefined || (purpose === "client" && names.length > 1)) {
    const expected =
      purpose === "server" ? "the host names and addresses under which it is reached" : "a worker's name";
    throw new InputError(`\`certs ${purpose}\` needs ${first === undefined ? "a name" : "one name"}`, { expected });
  }
  for (const name of names) checkName(name);
  const authority = folder.read(AUTHORITY);
  await folder.write(first, await issue(authority, purpose, names, validFor(days)));
  const [ca, cert, key] = [folder.certificate(AUTHORITY), folder.certificate(first), folder.key(first)];
  const who = purpose === "server" ? "the coordinator" : "a worker";
  terminal.line(`${cert}, ${key}, ${ca}: copy them to where ${who} runs, readable by its user alone`);
  terminal.line(
    `  mzsr ${purpose === "server" ? "coordinator" : "worker"} … --tls-cert ${cert} --tls-key ${key} --tls-ca ${ca}`,
  );
}

/** Without names, all that have less than a third of their life left. */
async function renewAll(
  names: readonly string[],
  { days }: CertsOptions,
  folder: CertificateFolder,
  terminal: Terminal,
): Promise<void> {
  let authority = folder.read(AUTHORITY);
  const all = names.length === 0 ? await folder.names() : names;
  let renewed = 0;
  for (const name of [...all].sort((a, b) => Number(b === AUTHORITY) - Number(a === AUTHORITY))) {
    const old = folder.read(name);
    const { leftMs, wholeMs } = lifeOf(old.certificate);
    if (names.length === 0 && leftMs > RENEWED_FROM * wholeMs) {
      terminal.line(`${folder.certificate(name)}: good for ${Math.floor(leftMs / DAY_MS)} days more`);
      continue;
    }
    const now =
      name === AUTHORITY
        ? await makeAuthority("", validFor(AUTHORITY_DAYS), old)
        : await renew(authority, old, validFor(days));
    if (name === AUTHORITY) authority = now;
    await folder.replaceCertificate(name, now);
    renewed++;
    terminal.line(`${folder.certificate(name)}: renewed; copy it over the old one, its key stays as it is`);
  }
  if (renewed > 0)
    terminal.line("coordinators read them again within seconds, workers when they connect the next time");
}

/** A host name or an address, or what may be part of a distinguished name and of a file's name. */
function checkName(name: string): void {
  if (isIP(name) !== 0) return;
  const host = name.replace(/^\*\./, "");
  if (!/^[A-Za-z0-9]([A-Za-z0-9._-]{0,62}[A-Za-z0-9])?$/.test(host) || host === AUTHORITY) {
    throw new InputError(`${JSON.stringify(name)} cannot be a certificate's name`, {
      expected: `a host name, an address, or up to 64 letters, digits, dots and dashes, and not ${AUTHORITY}`,
    });
  }
}

class CertificateFolder {
  readonly #path: string;
  readonly #replace: boolean;

  constructor(path: string, replace: boolean) {
    this.#path = path;
    this.#replace = replace;
  }

  certificate(name: string): string {
    return join(this.#path, `${fileName(name)}.pem`);
  }

  key(name: string): string {
    return join(this.#path, `${fileName(name)}.key`);
  }

  /** Names of all that have a key. */
  async names(): Promise<string[]> {
    const files = await readdir(this.#path).catch((thrown: unknown) => {
      throw new InputError(`cannot be read (${reasonOf(thrown)})`, { where: this.#path, expected: "mzsr certs init" });
    });
    return files.filter((file) => file.endsWith(".key")).map((file) => file.slice(0, -".key".length));
  }

  read(name: string): KeyPair {
    return { certificate: this.#text(this.certificate(name)), key: this.#text(this.key(name)) };
  }

  /** Neither file is written where one of them is in the way. */
  async write(name: string, { certificate, key }: KeyPair): Promise<void> {
    for (const path of this.#replace ? [] : [this.key(name), this.certificate(name)])
      if (existsSync(path)) isThere(path);
    await write(this.key(name), key, this.#replace);
    await write(this.certificate(name), certificate, this.#replace);
  }

  async replaceCertificate(name: string, { certificate }: KeyPair): Promise<void> {
    await write(this.certificate(name), certificate, true);
  }

  #text(path: string): string {
    try {
      return readSmallFile(path, LARGEST_SECRET_BYTES).toString("utf8");
    } catch (thrown) {
      const expected = "a folder that `mzsr certs init` made (--dir), and a name in it";
      throw new InputError(`cannot be read (${reasonOf(thrown)})`, { where: path, expected });
    }
  }
}

/** IPv6 addresses have colons, and wildcards a star. */
function fileName(name: string): string {
  return name.replaceAll(":", "-").replace("*", "_");
}

async function write(path: string, text: string, replace: boolean): Promise<void> {
  try {
    await writeFileAtomically(path, Buffer.from(text), { replace, mode: 0o600 });
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === "EEXIST") isThere(path);
    const expected = "a folder that can be written to (--dir), made by `mzsr certs init`";
    throw new InputError(`cannot be written (${messageOf(thrown)})`, { where: path, expected });
  }
}

function isThere(path: string): never {
  throw new InputError("is there already", { where: path, expected: "another --dir, or --force to replace it" });
}
