// Runs a measurement written in TypeScript: node bench/run.mjs conv [its options]
import { fileURLToPath } from "node:url";
import { runnerImport } from "vite";

const [name] = process.argv.splice(2, 1);
if (name === undefined) {
  console.error("usage: node bench/run.mjs NAME [options], for a bench/NAME.ts");
  process.exitCode = 2;
} else {
  await runnerImport(fileURLToPath(new URL(`${name}.ts`, import.meta.url)));
}
