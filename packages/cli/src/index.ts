export { main } from "./main.js";
export { buildProgram } from "./program.js";
export { Terminal, type TextStream } from "./terminal/terminal.js";
