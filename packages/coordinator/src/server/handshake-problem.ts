/** What was wrong with a TLS handshake, in words for a log. */

/** What OpenSSL and Node.js call it, and what it is. */
const PROBLEMS: readonly (readonly [RegExp, string])[] = [
  [/^CERT_HAS_EXPIRED$/, "its certificate has expired; make it a new one (mzsr certs renew)"],
  [/^CERT_NOT_YET_VALID$/, "its certificate is not valid yet; is one of the clocks wrong?"],
  [/^(UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_)/, "its certificate is of an authority that is not --tls-ca's"],
  [/^INVALID_PURPOSE$/, "its certificate is not one for workers (mzsr certs client)"],
  [/PEER_DID_NOT_RETURN_A_CERTIFICATE$/, "it shows no certificate (--tls-cert and --tls-key of the worker)"],
  [
    /ALERT_(UNKNOWN_CA|BAD_CERTIFICATE|CERTIFICATE_UNKNOWN)$/,
    "it does not trust this side's certificate (its --tls-ca)",
  ],
  [/ALERT_CERTIFICATE_EXPIRED$/, "it says that this side's certificate has expired"],
  [/^ERR_SSL_(WRONG_VERSION_NUMBER|HTTP_REQUEST)$/, "it does not speak TLS (--tls of the worker)"],
];

/** @returns undefined for a peer that only went away, as whoever looks whether a port is open does */
export function handshakeProblem(
  error: { readonly code?: string; readonly reason?: string; readonly message: string },
  { authorizationError }: { readonly authorizationError?: unknown },
): string | undefined {
  const code = `${authorizationError || error.code}`;
  const known = PROBLEMS.find(([pattern]) => pattern.test(code))?.[1];
  if (known !== undefined) return known;
  if (authorizationError) return `its certificate is not good (${code})`;
  if (error.code === "ECONNRESET" || error.code === "EPIPE") return undefined;
  return `no TLS with it (${error.reason ?? error.message})`;
}
