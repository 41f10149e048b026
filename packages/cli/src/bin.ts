#!/usr/bin/env node
import { setFlagsFromString } from "node:v8";
import { keepHangUpIgnored } from "./cluster/hang-up.js";
import { main } from "./main.js";
import { outliveReaders } from "./progress/broken-output.js";
import { Terminal } from "./progress/terminal.js";

// What gRPC would write to stderr by itself, we say in our own words; it reads this when it is loaded.
process.env.GRPC_VERBOSITY ??= "NONE";
// V8 lets the heap of a process that now and then waits grow by less than a third between two full collections, which
// then take several percent of a core. Our programs wait between messages but are busy: let their heaps grow as much as
// V8 lets those of busy ones, to four times what lives. It reads this at each collection, for every thread.
setFlagsFromString("--heap-growing-percent=300");
keepHangUpIgnored();
outliveReaders(process.stdout, process.stderr);
process.exit(await main(process.argv.slice(2), new Terminal(process.stdout, process.stderr)));
