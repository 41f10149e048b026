/** A nats-server for this machine's cluster: loopback only, a port that is free, nothing kept on disk. */
import type { ChildProcess } from "node:child_process";
import { access, constants, mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { messageOf, RunError } from "@mzsr/mzsr";
import { childExit, endChild, spawnGuarded } from "./children.js";

/** How to get nats-server, in one line. */
export const NATS_HINT =
  "nats-server is not on PATH, so there are no heartbeats over NATS (Debian, Ubuntu: apt-get install nats-server; macOS: brew install nats-server)";

const START_SECONDS = 10;
const POLL_MS = 25;
const GRACE_MS = 3_000;

export interface RunningNats {
  /** nats://127.0.0.1:port */
  readonly url: string;
  stop(): Promise<void>;
}

/** The path of nats-server, or undefined where there is none on `searchPath`. */
export async function findNatsServer(searchPath: string): Promise<string | undefined> {
  // Debian puts it into /usr/sbin, which is not on every user's PATH.
  for (const folder of [...searchPath.split(delimiter), "/usr/sbin", "/usr/local/sbin"]) {
    if (folder === "") continue;
    const path = join(folder, "nats-server");
    const found = await access(path, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (found) return path;
  }
  return undefined;
}

/**
 * Starts nats-server and waits until it listens.
 * @throws RunError when it does not
 */
export async function startNats(command: string): Promise<RunningNats> {
  const folder = await mkdtemp(join(tmpdir(), "mzsr-nats-"));
  // The server picks the port itself and says which in a file: no race for a port that looked free.
  const child = spawnGuarded(command, ["-a", "127.0.0.1", "-p", "-1", "--ports_file_dir", folder]);
  const stop = async () => {
    await endChild(child, GRACE_MS);
    await rm(folder, { recursive: true, force: true });
  };
  try {
    return { url: await announcedUrl(child, folder), stop };
  } catch (thrown) {
    await stop();
    throw new RunError(`nats-server does not start: ${messageOf(thrown)}`);
  }
}

async function announcedUrl(child: ChildProcess, folder: string): Promise<string> {
  let ended: string | undefined;
  child.once("error", (error) => {
    ended = messageOf(error);
  });
  void childExit(child).then(({ code, signal }) => {
    ended ??= `it ended with ${signal ?? code}`;
  });
  for (const deadline = Date.now() + 1000 * START_SECONDS; Date.now() < deadline; await delay(POLL_MS)) {
    if (ended !== undefined) throw new Error(ended);
    const [file] = (await readdir(folder)).filter((name) => name.endsWith(".ports"));
    if (file === undefined) continue;
    const url = firstUrl(await readFile(join(folder, file), "utf8"));
    if (url !== undefined) return url;
  }
  throw new Error(`no port within ${START_SECONDS} seconds`);
}

/** Undefined while the file is being written. */
function firstUrl(text: string): string | undefined {
  try {
    return (JSON.parse(text) as { nats?: string[] }).nats?.[0];
  } catch {
    return undefined;
  }
}
