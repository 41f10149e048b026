import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

const FOLDER = fileURLToPath(new URL("../../../../shared/data", import.meta.url));

/**
 * The data for tests that lies beside the checkout, not in it. Tests of it skip where it is absent:
 * `describe.skipIf(externalData === undefined)(`… ${EXTERNAL_DATA_NOTE}`, …)`.
 */
export const externalData: string | undefined = existsSync(FOLDER) ? FOLDER : undefined;

/** Appended to a suite's name, so that a skipped one says why. */
export const EXTERNAL_DATA_NOTE =
  externalData === undefined ? "(skipped: ../shared/data is absent)" : "(../shared/data)";
