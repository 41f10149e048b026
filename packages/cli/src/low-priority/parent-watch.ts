/** Entry of a thread that ends its process, whatever the other threads do, when the process's parent is gone. */
import { readSync } from "node:fs";

const STDIN = 0;

// Nothing is ever written to the input: reading it takes as long as the parent lives.
try {
  while (readSync(STDIN, new Uint8Array(1)) > 0);
} finally {
  process.kill(process.pid, "SIGKILL");
}
