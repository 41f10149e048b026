/** The options that `up` and `coordinator` share: what to train, and where it is kept. */
import type { Command } from "commander";
import { collect, notEmpty, wholeNumber } from "./arguments.js";

const MOST_STEPS = 10_000_000;

/** Adds the options to a command. */
export function addRunOptions(command: Command): Command {
  return command
    .option(
      "--preset <name>",
      "start from a preset: quick (minutes on two cores), gpu (larger steps), paper, reference (hours; -x3, -x4), finetune",
    )
    .option("--config <file>", "YAML configuration, laid over the preset (docs/configuration.md)")
    .option("--set <key=value>", "set one key, for example metaTraining.innerSteps=3; may be repeated", collect)
    .option("--pretrain-steps <n>", "steps of stage 1", wholeNumber(0, MOST_STEPS))
    .option("--steps <n>", "meta-steps of stage 2", wholeNumber(0, MOST_STEPS))
    .option("--data <dir>", "folder of photographs; `embedded` uses those that come with the program")
    .option("--skip-bad", "go on without images that cannot be read, saying which and why")
    .option(
      "--init <file>",
      "start from a model of the same network: a model file, the folder of a finished run, or `shipped`",
      notEmpty,
    )
    .option("--backend <name>", "auto, webgpu, cuda, tensorflow, simd or cpu")
    .option("--seed <n>", "seed of everything that is drawn", wholeNumber(0, Number.MAX_SAFE_INTEGER))
    .option("--run <dir>", "run folder (default: runs/ and the time)", notEmpty)
    .option("--resume", "go on with the run in --run from its newest checkpoint")
    .option("--fresh", "begin anew in --run; the run that is there is deleted once all else has started")
    .option("--tensorboard", "write event files for TensorBoard into the run folder");
}
