import { Option } from "commander";
import { wholeNumber } from "./arguments.js";

// What computes, where one may say which GPU. Spelt out here, so that --help loads no package of ours.

export function backendOption(): Option {
  return new Option("--backend <name>", "auto, webgpu, cuda, tensorflow, simd or cpu").default("auto");
}

export function deviceOption(): Option {
  return new Option(
    "--device <n>",
    "which GPU the backend webgpu uses, from 0; where there are several, `mzsr doctor` lists them",
  ).argParser(wholeNumber(0, 255));
}

export function gpuMemoryOption(): Option {
  return new Option(
    "--gpu-memory <GB>",
    "GPU memory that the backend webgpu takes (default: most of what is free; 2 where that is not known)",
  ).argParser(wholeNumber(1, 1024));
}
