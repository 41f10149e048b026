/** The ways to enlarge that a benchmark compares, by the names that a user gives them. */
import { InputError } from "@mzsr/mzsr";

/** One column of the table. `updates` of ZSSR are its most. */
export type Method =
  | { readonly kind: "bicubic" }
  | { readonly kind: "zssr" }
  | { readonly kind: "mzsr"; readonly updates: number };

const EXPECTED = "bicubic, before, zssr or mzsr:N with N gradient steps (mzsr: 10)";

/** @param names as typed, of which each may hold several with commas between them. @throws InputError */
export function parseMethods(names: readonly string[]): Method[] {
  const methods = names.flatMap((name) => name.split(",")).map((name) => parseMethod(name.trim()));
  return methods.filter((method, i) => methods.findIndex((other) => methodName(other) === methodName(method)) === i);
}

function parseMethod(name: string): Method {
  if (name === "bicubic" || name === "zssr") return { kind: name };
  if (name === "before") return { kind: "mzsr", updates: 0 };
  if (name === "mzsr") return { kind: "mzsr", updates: 10 };
  const updates = Number(/^mzsr:(\d{1,5})$/.exec(name)?.[1] ?? Number.NaN);
  if (updates <= 10_000) return { kind: "mzsr", updates };
  throw new InputError(`unknown method '${name}'`, { where: "--methods", expected: EXPECTED });
}

/** `bicubic`, `zssr`, `before`, `mzsr:10`: what a user types, and what files of results hold. */
export function methodName(method: Method): string {
  if (method.kind !== "mzsr") return method.kind;
  return method.updates === 0 ? "before" : `mzsr:${method.updates}`;
}

/** As the paper writes it. */
export function methodTitle(name: string): string {
  if (name === "zssr") return "ZSSR";
  return name.replace(/^mzsr:(\d+)$/, "MZSR ($1)");
}
