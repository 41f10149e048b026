import { Argument, Command } from "commander";
import { commandWords } from "../completion/command-words.js";
import { SHELLS, type ShellName } from "../completion/shells.js";
import type { Terminal } from "../progress/terminal.js";

export function completionCommand(terminal: Terminal): Command {
  const command = new Command("completion")
    .description("Print a script that completes mzsr's commands, options and values in a shell.")
    .addArgument(new Argument("<shell>", "the shell").choices(Object.keys(SHELLS)))
    .addHelpText(
      "after",
      `
Example:
  $ npx mzsr completion bash >> ~/.bashrc
  $ npx mzsr completion zsh > ~/.zfunc/_mzsr          # a folder in fpath, before compinit
  $ npx mzsr completion fish > ~/.config/fish/completions/mzsr.fish
`,
    );
  return command.action((shell: ShellName) => {
    terminal.line(SHELLS[shell](commandWords(command.parent!)).trimEnd());
  });
}
