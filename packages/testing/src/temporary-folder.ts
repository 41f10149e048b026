import { randomUUID } from "node:crypto";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, onTestFinished } from "vitest";

/** A folder of its own for a test, gone when the test is. For tests and `beforeEach`. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "mzsr-test-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/**
 * A folder that the tests of a file or a `describe` share: made before the first of them, gone after the last. Call it
 * where hooks are declared, before the hooks that write into it.
 */
export function sharedFolder(): string {
  const folder = join(tmpdir(), `mzsr-test-${randomUUID()}`);
  beforeAll(() => mkdir(folder));
  afterAll(() => rm(folder, { recursive: true, force: true }));
  return folder;
}
