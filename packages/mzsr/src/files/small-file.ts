import { closeSync, openSync, readSync } from "node:fs";

/**
 * The bytes of a small file that a user named: a configuration, a secret, a certificate. Pipes are read too, so that
 * `--token-file <(command)` works, which is why the bound is watched while reading rather than asked of the file's size.
 * @throws Error of the file system, or one that says that there is more than `largestBytes`
 */
export function readSmallFile(path: string, largestBytes: number): Buffer {
  const file = openSync(path, "r");
  try {
    const bytes = Buffer.alloc(largestBytes + 1);
    let length = 0;
    for (let read = 1; read > 0 && length < bytes.length; length += read) {
      read = readSync(file, bytes, length, bytes.length - length, null);
    }
    if (length > largestBytes) throw new Error(`more than ${largestBytes} bytes`);
    return bytes.subarray(0, length);
  } finally {
    closeSync(file);
  }
}

/** Of a file with certificates, keys or a secret; a bundle of all public authorities has 250 KB. */
export const LARGEST_SECRET_BYTES = 1024 * 1024;
