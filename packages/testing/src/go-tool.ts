/**
 * Programs written in Go that tests use and that few systems have: each is the `tool` of a Go module in test/tools/go,
 * whose go.sum says what it is made of, to the bit. Go builds it from its module proxy and keeps it in its own cache.
 */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const MODULES = new URL("../../../test/tools/go/", import.meta.url);
/** What a test waits for a program that set-up has built: Go only looks whether it is current. */
const LOOK_MS = 60_000;

/** Where a program is, or why it is not there. */
export type FoundTool = { readonly path: string } | { readonly missing: string };

/**
 * Builds a tool where Go's cache does not have it.
 * @param name the folder in test/tools/go, and the program
 * @param timeoutMs after which it is given up; what was compiled by then stays in Go's cache
 */
export function buildGoTool(name: string, timeoutMs: number): FoundTool {
  const { status, stdout, stderr, error } = spawnSync("go", ["tool", "-n", name], {
    cwd: fileURLToPath(new URL(`${name}/`, MODULES)),
    // Whatever Go's settings on this machine are.
    env: { ...process.env, GO111MODULE: "on", GOWORK: "off", GOFLAGS: "" },
    encoding: "utf8",
    timeout: timeoutMs,
  });
  if (status === 0) return { path: stdout.trim() };
  const code = (error as NodeJS.ErrnoException | undefined)?.code;
  if (code === "ENOENT") return { missing: "Go is not on PATH" };
  if (code === "ETIMEDOUT") return { missing: `${name} was not built within ${timeoutMs / 1000} s` };
  return { missing: `Go cannot build ${name}: ${lastLine(stderr)}` };
}

/** A tool that set-up has built; undefined, with a warning, where it is not there: tests that need it skip themselves. */
export function goTool(name: string): string | undefined {
  const found = buildGoTool(name, LOOK_MS);
  if ("path" in found) return found.path;
  console.warn(`${found.missing} (scripts/setup --test): the tests that need ${name} are skipped`);
  return undefined;
}

function lastLine(text: string): string {
  return text.trim().split("\n").at(-1) ?? "";
}
