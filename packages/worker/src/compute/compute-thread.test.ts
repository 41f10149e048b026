import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, it } from "vitest";

const ENTRY = fileURLToPath(new URL("../../dist/compute/compute-thread.js", import.meta.url));

it("a compute thread loads what computes, and nothing of images, wire or configuration", async () => {
  // Outside a thread the program ends with its first statement, after all its imports.
  const env = { ...process.env, NODE_DEBUG: "esm" };
  const failed = await promisify(execFile)(process.execPath, [ENTRY], { env }).catch((error) => error);
  expect(failed.stderr).toContain("is the entry of a worker thread");
  expect(matches(failed.stderr, /node_modules\/((?:@[\w-]+\/)?[\w.-]+)/g)).toEqual(["@tensorflow/tfjs-core"]);
  expect(matches(failed.stderr, /packages\/([\w-]+)\/dist/g).sort()).toEqual(["mzsr", "worker"]);
});

function matches(text: string, pattern: RegExp): string[] {
  return [...new Set([...text.matchAll(pattern)].map(([, name]) => name!))];
}
