import type { Preview, PreviewComputer, PreviewProblem } from "@mzsr/coordinator";
import { ProcessComputer } from "../low-priority/process-computer.js";

/** Computes previews in a process of low priority. */
export function previewComputer(): PreviewComputer {
  return new ProcessComputer<PreviewProblem, Preview>(new URL("./preview-process.js", import.meta.url), "preview");
}
