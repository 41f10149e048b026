/** The backend `tensorflow` in a folder of its own, its binding built from its sources (scripts/tfjs-node-binding.mjs). */
import { execFile } from "node:child_process";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const run = promisify(execFile);
const root = fileURLToPath(new URL("../..", import.meta.url));

const INSTALL = ["install", "--prefer-offline", "--ignore-scripts", "--no-audit", "--no-fund"];

/** Installs the packages as npm would publish them, and @tensorflow/tfjs-node. Downloads 0.2 GB. */
export async function installTensorflow(folder: string): Promise<void> {
  const all = await readdir(join(root, "packages"));
  const isPublic = async (name: string) => {
    const manifest = await readFile(join(root, "packages", name, "package.json"), "utf8");
    return (JSON.parse(manifest) as { private?: boolean }).private !== true;
  };
  const wanted = await Promise.all(all.map(isPublic));
  const workspaces = all.filter((_, i) => wanted[i]).flatMap((name) => ["--workspace", `packages/${name}`]);
  await run("npm", ["pack", "--silent", "--pack-destination", folder, ...workspaces], { cwd: root });
  const tarballs = (await readdir(folder)).filter((name) => name.endsWith(".tgz")).map((name) => `./${name}`);
  await writeFile(join(folder, "package.json"), JSON.stringify({ private: true, type: "module" }));
  await run("npm", [...INSTALL, ...tarballs, "@tensorflow/tfjs-node@4.22.0"], { cwd: folder });
  await run(process.execPath, [join(root, "scripts/tfjs-node-binding.mjs"), folder]);
}
