#!/usr/bin/env node
import { main } from "./main.js";
import { Terminal } from "./terminal/terminal.js";

process.exit(await main(process.argv.slice(2), new Terminal(process.stdout, process.stderr)));
