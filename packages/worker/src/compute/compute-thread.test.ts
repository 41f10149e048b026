import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, it } from "vitest";

const ENTRY = fileURLToPath(new URL("../../dist/compute/compute-thread.js", import.meta.url));

it("a compute thread loads what computes: neither the image library nor the wire's", async () => {
  // Outside a thread the program ends with its first statement, after all its imports.
  const env = { ...process.env, NODE_DEBUG: "esm" };
  const failed = await promisify(execFile)(process.execPath, [ENTRY], { env }).catch((error) => error);
  expect(failed.stderr).toContain("is the entry of a worker thread");
  expect(failed.stderr).toContain("node_modules/@tensorflow/tfjs-core");
  expect(failed.stderr).not.toMatch(/node_modules\/(sharp|@grpc|nats)\b/);
});
