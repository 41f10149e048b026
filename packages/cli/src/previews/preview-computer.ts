import type { Preview, PreviewComputer, PreviewProblem } from "@mzsr/coordinator";
import type { Configuration } from "@mzsr/shared";
import { ProcessComputer } from "../low-priority/process-computer.js";

/** Computes a run's previews in a process of low priority. */
export function previewComputer({ backend }: Pick<Configuration, "backend">): PreviewComputer {
  const entry = new URL("./preview-process.js", import.meta.url);
  return new ProcessComputer<PreviewProblem, Preview>(entry, "preview", [backend]);
}
