#!/usr/bin/env node
import { main } from "./main.js";
import { Terminal } from "./terminal/terminal.js";

// What gRPC would write to stderr by itself, we say in our own words; it reads this when it is loaded.
process.env.GRPC_VERBOSITY ??= "NONE";
process.exit(await main(process.argv.slice(2), new Terminal(process.stdout, process.stderr)));
