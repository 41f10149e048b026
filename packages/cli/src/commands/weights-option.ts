import { Option } from "commander";

/** `--weights`: which parameters of a model are meant. Spelt out here, so that --help loads no package of ours. */
export function weightsOption(): Option {
  return new Option(
    "--weights <which>",
    "the moving average or the last step's (default: the average, if it has one)",
  ).choices(["ema", "last"]);
}
