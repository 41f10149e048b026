export { main } from "./main.js";
export { buildProgram } from "./program.js";
export { Terminal, type TextStream } from "./progress/terminal.js";
