/** What can be completed of a program that commander describes. */
import type { Argument, Command, Option } from "commander";

export interface OptionWords {
  /** `-o`, `--output`. */
  readonly flags: readonly string[];
  readonly description: string;
  /** What may follow: nothing, one of some words, or anything, a file's name for want of something better. */
  readonly value: "none" | "file" | readonly string[];
}

export interface CommandWords {
  readonly name: string;
  readonly description: string;
  readonly options: readonly OptionWords[];
  /** Words of the first argument; undefined where files are meant. */
  readonly argument: readonly string[] | undefined;
}

export interface ProgramWords {
  readonly name: string;
  readonly options: readonly OptionWords[];
  readonly commands: readonly CommandWords[];
}

/** Words that an option's value is most likely one of, where any text is allowed. */
const USUAL_VALUES: Readonly<Record<string, readonly string[]>> = {
  "--backend": ["auto", "webgpu", "cuda", "tensorflow", "simd", "cpu"],
};

/** What a user sees in the help, and no more. */
export function commandWords(program: Command): ProgramWords {
  const commands = program.createHelp().visibleCommands(program);
  return {
    name: program.name(),
    options: optionsOf(program),
    commands: commands.map((command) => ({
      name: command.name(),
      description: firstSentence(command.description()),
      options: optionsOf(command),
      argument:
        command.name() === "help" ? commands.map((other) => other.name()) : wordsOf(command.registeredArguments[0]),
    })),
  };
}

function optionsOf(command: Command): OptionWords[] {
  return command.createHelp().visibleOptions(command).map(optionWords);
}

function optionWords({ short, long, description, required, optional, argChoices }: Option): OptionWords {
  const words = argChoices ?? USUAL_VALUES[long ?? ""];
  return {
    flags: [short, long].filter((flag) => flag !== undefined),
    description: firstSentence(description),
    value: required || optional ? (words ?? "file") : "none",
  };
}

function wordsOf(argument: Argument | undefined): readonly string[] | undefined {
  return argument === undefined ? [] : argument.argChoices;
}

function firstSentence(text: string): string {
  return text.split(/[.\n](?:\s|$)/)[0]!;
}
