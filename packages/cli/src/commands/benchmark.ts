import { Command, Option } from "commander";
import type { BenchmarkOptions } from "../benchmark/run-benchmark.js";
import type { Terminal } from "../progress/terminal.js";
import { notEmpty, wholeNumber } from "./arguments.js";
import { backendOption, deviceOption, gpuMemoryOption } from "./backend-options.js";
import { CENTER_KERNEL, KERNEL_CONVENTIONS } from "./kernel-help.js";
import { weightsOption } from "./weights-option.js";

const EXAMPLES = `
Example:
  $ npx mzsr benchmark --preset paper --models runs/quickstart --images set5/hr --zssr-updates 500 --report bench
  $ npx mzsr benchmark --models first=runs/a second=runs/b --images set5/hr set14 --kernels g2.0 --methods bicubic,mzsr:10 --csv bench.csv
`;

export function benchmarkCommand(terminal: Terminal): Command {
  return new Command("benchmark")
    .description("Compare models and methods on folders of photos with several kernels: the paper's table 1.")
    .addOption(
      new Option("--preset <name>", "paper: its four kernels; bicubic, before, zssr, mzsr:1 and mzsr:10").choices([
        "paper",
      ]),
    )
    .option("--models <path...>", "model files or folders of runs, each as PATH or NAME=PATH (default: @mzsr/model-x2)")
    .addOption(weightsOption())
    .requiredOption("--images <dir...>", "folders of HR images, each as DIR or NAME=DIR")
    .option("--lr <dir...>", "folders of their LR images, in the same order (default: made with the kernel)")
    .option("--kernels <k...>", "kernels as mzsr evaluate takes them (default: g0.2 g2.0 gani g1.3)")
    .option("--center-kernel", CENTER_KERNEL)
    .option(
      "--methods <name...>",
      "bicubic, before (adaptation), mzsr:N, zssr (default: bicubic before mzsr:1 mzsr:10)",
    )
    .option("--scales <s...>", "2, 3, 4 (default: those of the models, else 2)")
    .addOption(
      new Option("--downsampling <kind>", "default: what the paper tests the kernel with, else direct").choices([
        "direct",
        "bicubic",
      ]),
    )
    .option("--zssr-updates <n>", "gradient steps of ZSSR at most", wholeNumber(1, 100_000), 3000)
    .option(
      "--report <dir>",
      "write a page with pictures; a call that was stopped goes on with what is there",
      notEmpty,
    )
    .option("--csv <file>", "write a line for each photo and method", notEmpty)
    .option("--markdown <file>", "write the table", notEmpty)
    .option("--force", "replace files of those names")
    .option("--skip-bad", "go on without images that cannot be read or are too small, saying which and why")
    .option(
      "--jobs <n>",
      "measurements at a time, each in a thread (default: one a core; on a GPU one)",
      wholeNumber(1, 256),
    )
    .addOption(backendOption())
    .addOption(deviceOption())
    .addOption(gpuMemoryOption())
    .option("--json", "print JSON")
    .addHelpText("after", KERNEL_CONVENTIONS)
    .addHelpText("after", EXAMPLES)
    .action(async (options: BenchmarkOptions) => {
      const { runBenchmark } = await import("../benchmark/run-benchmark.js");
      await runBenchmark(options, terminal);
    });
}
