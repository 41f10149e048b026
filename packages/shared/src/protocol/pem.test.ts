import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { InputError } from "@mzsr/mzsr";
import { sharedFolder } from "@mzsr/testing/temporary-folder";
import { describe, expect, it } from "vitest";
import { readPem } from "./pem.js";

const folder = sharedFolder();

function file(name: string, label: string): string {
  const path = join(folder, name);
  writeFileSync(path, `-----BEGIN ${label}-----\nAA==\n-----END ${label}-----\n`);
  return path;
}

describe("a PEM file", () => {
  it.each(["PRIVATE KEY", "EC PRIVATE KEY", "RSA PRIVATE KEY", "ENCRYPTED PRIVATE KEY"])(
    "with %s is a key",
    (label) => {
      expect(readPem("--tls-key", file("a.key", label), "private key").toString()).toContain(label);
    },
  );

  it("is refused where another kind is wanted, with the option, the file and the kind", () => {
    const [key, certificate, request] = [
      file("k.pem", "EC PRIVATE KEY"),
      file("c.pem", "CERTIFICATE"),
      file("r.pem", "CERTIFICATE REQUEST"),
    ];
    expect(() => readPem("--tls-ca", key, "certificate")).toThrow(
      new InputError("holds no certificate", { where: `--tls-ca ${key}`, expected: "a PEM file with a certificate" }),
    );
    expect(() => readPem("--tls-ca", request, "certificate")).toThrow(/r\.pem: holds no certificate/);
    expect(() => readPem("--tls-key", certificate, "private key")).toThrow(/--tls-key .*c\.pem: holds no private key/);
    expect(readPem("--tls-ca", certificate, "certificate")).toBeInstanceOf(Buffer);
  });

  it("that cannot be read is named with its option", () => {
    expect(() => readPem("--tls-cert", join(folder, "none.pem"), "certificate")).toThrow(
      /^--tls-cert .*none\.pem: cannot be read \(ENOENT.*\); expected a PEM file with a certificate$/,
    );
  });
});

it("a file without end is left after its bound", () => {
  expect(() => readPem("--tls-cert", "/dev/zero", "certificate")).toThrow(
    "--tls-cert /dev/zero: cannot be read (more than 1048576 bytes); expected a PEM file with a certificate",
  );
});
