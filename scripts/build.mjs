// Builds every package in dependency order: WebAssembly kernels, then TypeScript by project references.
// Incremental: a build with nothing to do takes about a second.
import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const run = (command, ...args) => execFileSync(command, args, { cwd: root, stdio: "inherit" });

run("npm", "run", "--silent", "--if-present", "--workspaces", "prebuild-generated");
run("npx", "tsc", "-b");
