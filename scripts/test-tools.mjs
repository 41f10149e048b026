// What tests use besides the programs of scripts/programs: those that Go builds (test/tools/go). Once; Go's caches keep them.
// Minutes on a machine that has none of them yet, so that the time is bounded. Always ends well: tests skip what is missing.
import { readdirSync } from "node:fs";
import { buildGoTool } from "../packages/testing/dist/go-tool.js";

/** Helm takes three minutes on two idle cores. */
const BUILD_MS = 8 * 60_000;
/** What is current is found sooner than this. */
const SLOW_MS = 30_000;

const say = (text) => console.error(`setup: ${text}`);

for (const name of readdirSync(new URL("../test/tools/go/", import.meta.url))) {
  const quick = buildGoTool(name, SLOW_MS);
  if ("path" in quick) continue;
  if (!quick.missing.includes("not built within")) {
    say(`${quick.missing}; tests that need it are skipped`);
    continue;
  }
  say(`building ${name} (once; some minutes)`);
  const built = buildGoTool(name, BUILD_MS);
  if ("missing" in built) say(`${built.missing}; tests that need it are skipped`);
}
