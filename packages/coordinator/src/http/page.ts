import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** Where the page lies once it is built, seen from this package's dist/http and src/http alike. */
const PAGE = fileURLToPath(new URL("../../../dashboard/dist", import.meta.url));

/** The folder of the built page; undefined when it is not built. */
export function builtPage(): string | undefined {
  return existsSync(PAGE) ? PAGE : undefined;
}
