import { createRequire } from "node:module";
import { dirname } from "node:path";

/** The folder of the built page, a package of its own; undefined when that is not built or not installed. */
export function builtPage(): string | undefined {
  try {
    return dirname(createRequire(import.meta.url).resolve("@mzsr/dashboard/index.html"));
  } catch {
    return undefined;
  }
}
