/** Secrets and addresses for both halves, from flags and environment. */
import { readFile } from "node:fs/promises";
import { InputError, messageOf, type NatsOptions, natsOptions } from "@mzsr/shared";
import type { SecurityOptions } from "../commands/security-options.js";

/** @throws InputError */
export function natsFrom(options: SecurityOptions): NatsOptions | undefined {
  return natsOptions({ servers: options.nats }, process.env);
}

/** The shared secret of a cluster. @throws InputError when the file cannot be read or is empty */
export async function tokenFrom({ tokenFile }: SecurityOptions): Promise<string | undefined> {
  if (tokenFile === undefined) return process.env.MZSR_TOKEN || undefined;
  const where = `--token-file ${tokenFile}`;
  const text = await readFile(tokenFile, "utf8").catch((thrown: unknown) => {
    throw new InputError(`cannot be read (${messageOf(thrown).split(",")[0]})`, {
      where,
      expected: "a file with the secret",
    });
  });
  if (text.trim() === "") throw new InputError("is empty", { where, expected: "a file with the secret" });
  return text.trim();
}
