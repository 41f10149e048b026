// Peak memory and CPU time of a whole process that reads a photo, adapts to it, enlarges it twofold and writes the
// result, 24 megapixels by default.
//
//   npm run build && node bench/run.mjs large-photo [--height 2000] [--width 3000] [--depth 5] [--channels 32]

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { type Run, startSide } from "./peer.js";

const { values: options } = parseArgs({
  args: process.argv.slice(2),
  options: {
    height: { type: "string", default: "2000" },
    width: { type: "string", default: "3000" },
    depth: { type: "string", default: "5" },
    channels: { type: "string", default: "32" },
    updates: { type: "string", default: "10" },
    core: { type: "string", default: "1" },
  },
});

async function main(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "mzsr-large-photo-"));
  const script = fileURLToPath(new URL("sides/large-photo.mjs", import.meta.url));
  const side = startSide(options.core, process.execPath, [script]);
  try {
    const numbers = Object.fromEntries(Object.entries(options).map(([name, value]) => [name, Number(value)]));
    const paths = { photo: join(folder, "photo.png"), result: join(folder, "result.png") };
    const { cpuSeconds, peakBytes } = await side.ask<Run>({ ...numbers, ...paths });
    const megapixels = (4 * Number(options.height) * Number(options.width)) / 1e6;
    console.log(
      `${megapixels} megapixels: ${cpuSeconds.toFixed(1)} CPU seconds, ${(peakBytes / 2 ** 20).toFixed(0)} MiB`,
    );
  } finally {
    side.stop();
    await rm(folder, { recursive: true });
  }
}

await main();
