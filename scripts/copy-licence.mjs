// Copies the repository's licence into the package that npm is about to pack (its `prepack` script).
import { copyFileSync } from "node:fs";

copyFileSync(new URL("../LICENSE", import.meta.url), "LICENSE");
