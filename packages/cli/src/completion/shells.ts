/** Completion scripts. Each is made of the program's own description, and starts nothing when a user presses Tab. */
import type { CommandWords, OptionWords, ProgramWords } from "./command-words.js";

export const SHELLS = { bash, zsh, fish } satisfies Readonly<Record<string, (program: ProgramWords) => string>>;

export type ShellName = keyof typeof SHELLS;

/** In single quotes, as every shell here takes them. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

/** bash knows no descriptions; what has no words of its own is completed as a file. Works without bash-completion, on bash 3.2 too. */
function bash(program: ProgramWords): string {
  const flags = (options: readonly OptionWords[]) => options.flatMap((option) => option.flags).join(" ");
  const values = ({ name, options }: CommandWords) =>
    options.flatMap(({ flags: names, value }) => {
      if (value === "none") return [];
      const patterns = names.map((flag) => `${name}:${flag}`).join(" | ");
      return [
        `    ${patterns}) words=${quoted(value === "file" ? "" : value.join(" "))} files=${value === "file" ? 1 : 0} ;;`,
      ];
    });
  const own = (command: CommandWords) =>
    `      ${command.name}) flags=${quoted(flags(command.options))} words=${quoted((command.argument ?? []).join(" "))} files=${command.argument === undefined ? 1 : 0} ;;`;
  const names = program.commands.map(({ name }) => name).join(" ");
  return `# bash completion for ${program.name}
_${program.name}() {
  local current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD-1]} command= i flags= words= files=0
  # bash parts --option=value at the sign.
  if [[ $current == = ]]; then current=; fi
  if [[ $previous == = ]]; then previous=\${COMP_WORDS[COMP_CWORD-2]}; fi
  for ((i = 1; i < COMP_CWORD; i++)); do
    if [[ \${COMP_WORDS[i]} != -* ]]; then command=\${COMP_WORDS[i]}; break; fi
  done
  case "$command:$previous" in
${program.commands.flatMap(values).join("\n")}
    *) case "$command" in
      "") flags=${quoted(flags(program.options))} words=${quoted(names)} ;;
${program.commands.map(own).join("\n")}
    esac
    if [[ $current == -* ]]; then words=$flags files=0; fi ;;
  esac
  local IFS=$' \\t\\n'
  COMPREPLY=($(compgen -W "$words" -- "$current"))
  if ((files)); then
    IFS=$'\\n'
    compopt -o filenames 2>/dev/null
    COMPREPLY+=($(compgen -f -- "$current"))
  fi
}
complete -F _${program.name} ${program.name}
`;
}

function zsh(program: ProgramWords): string {
  /** In a specification, brackets and colons mean something. */
  const told = (text: string) => text.replaceAll(/[[\]:\\]/g, (sign) => `\\${sign}`);
  const action = (value: OptionWords["value"]) => {
    if (value === "none") return "";
    return value === "file" ? ":value:_files" : `:value:(${value.join(" ")})`;
  };
  const specifications = (options: readonly OptionWords[]) =>
    options.flatMap(({ flags, description, value }) => {
      const others = flags.length > 1 ? `(${flags.join(" ")})` : "";
      return flags.map((flag) => quoted(`${others}${flag}[${told(description)}]${action(value)}`));
    });
  const argument = ({ argument: words }: CommandWords) => {
    if (words === undefined) return [quoted("*:file:_files")];
    return words.length === 0 ? [] : [quoted(`1:argument:(${words.join(" ")})`)];
  };
  const arm = (command: CommandWords) =>
    `    ${command.name}) _arguments -s ${[...specifications(command.options), ...argument(command)].join(" ")} ;;`;
  const names = program.commands.map(({ name, description }) => quoted(`${told(name)}:${told(description)}`));
  return `#compdef ${program.name}
_${program.name}() {
  local -a commands
  local context state state_descr line
  typeset -A opt_args
  commands=(${names.join(" ")})
  _arguments -C ${specifications(program.options).join(" ")} '1: :->command' '*:: :->rest'
  case $state in
  command) _describe -t commands command commands ;;
  rest) case $line[1] in
${program.commands.map(arm).join("\n")}
    esac ;;
  esac
}
if [[ $funcstack[1] == _${program.name} ]]; then _${program.name} "$@"; else compdef _${program.name} ${program.name}; fi
`;
}

function fish(program: ProgramWords): string {
  const flagged = (condition: string, options: readonly OptionWords[]) =>
    options.map(({ flags, description, value }) => {
      const names = flags.map((flag) => (flag.startsWith("--") ? `-l ${flag.slice(2)}` : `-s ${flag.slice(1)}`));
      const values = value === "none" ? "" : value === "file" ? " -r -F" : ` -x -a ${fishQuoted(value.join(" "))}`;
      return `${line} -n ${condition} ${names.join(" ")}${values} -d ${fishQuoted(description)}`;
    });
  const line = `complete -c ${program.name}`;
  const ofCommand = ({ name, options, argument }: CommandWords) => {
    const condition = fishQuoted(`__fish_seen_subcommand_from ${name}`);
    const words = argument === undefined ? [`${line} -n ${condition} -F`] : [];
    if (argument !== undefined && argument.length > 0)
      words.push(`${line} -n ${condition} -a ${fishQuoted(argument.join(" "))}`);
    return [...words, ...flagged(condition, options)];
  };
  const atStart = fishQuoted("__fish_use_subcommand");
  return [
    `# fish completion for ${program.name}`,
    `${line} -f`,
    ...flagged(atStart, program.options),
    ...program.commands.map(
      ({ name, description }) => `${line} -n ${atStart} -a ${name} -d ${fishQuoted(description)}`,
    ),
    ...program.commands.flatMap(ofCommand),
    "",
  ].join("\n");
}

/** Between fish's single quotes, only the quote and the backslash are special. */
function fishQuoted(text: string): string {
  return `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
}
