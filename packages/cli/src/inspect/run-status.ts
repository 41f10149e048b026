import { readdir, stat } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import {
  ANY_STATUS_SUBJECT,
  type ClusterStatus,
  connectNats,
  InputError,
  messageOf,
  natsOptions,
  statusSubject,
} from "@mzsr/shared";
import type { StatusOptions } from "../commands/status.js";
import { statusLines } from "../progress/status-text.js";
import { readAnnouncement } from "../run/announcement.js";
import type { Terminal } from "../terminal/terminal.js";

const ANSWER_MS = 5_000;
const DEFAULT_URL = "http://127.0.0.1:7701";

/** `mzsr status`. @throws InputError when no coordinator answers */
export async function runStatus(options: StatusOptions, terminal: Terminal): Promise<void> {
  const status = await askForStatus(options);
  if (options.json === true) return terminal.json(status);
  terminal.line(
    `${status.run}, ${status.phase}: step ${status.step} of ${status.totalSteps}, backend ${status.backend ?? "not settled"}`,
  );
  for (const line of statusLines(status)) terminal.line(line);
}

async function askForStatus(options: StatusOptions): Promise<ClusterStatus> {
  if (options.url !== undefined) return overHttp(options.url);
  const nats = natsOptions({ servers: options.nats }, process.env);
  if (nats !== undefined) return overNats(nats, options.run);
  return overHttp(await announcedUrl(options.run));
}

async function overHttp(url: string): Promise<ClusterStatus> {
  const wrong = (why: string) =>
    new InputError(`no coordinator answers at ${url} (${why})`, {
      expected:
        "the address of a running coordinator's page in --url, or --run with the folder of a run on this machine",
    });
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol)) throw wrong("not a URL");
  const response = await fetch(new URL("/api/status", url), { signal: AbortSignal.timeout(ANSWER_MS) }).catch(
    (thrown: unknown) => {
      throw wrong(reasonOf(thrown));
    },
  );
  const status = (await response.json().catch(() => undefined)) as ClusterStatus | undefined;
  if (!response.ok || status?.workers === undefined) throw wrong(`HTTP ${response.status}, not a cluster's status`);
  return status;
}

async function overNats(
  nats: NonNullable<ReturnType<typeof natsOptions>>,
  run: string | undefined,
): Promise<ClusterStatus> {
  const link = connectNats(nats, "mzsr status");
  try {
    await link.whenConnected(ANSWER_MS);
    const subject = run === undefined ? ANY_STATUS_SUBJECT.replace("*", "any") : statusSubject(basename(run));
    return JSON.parse(
      Buffer.from(await link.request(subject, new Uint8Array(), ANSWER_MS)).toString(),
    ) as ClusterStatus;
  } catch (thrown) {
    throw new InputError(`no coordinator answers over NATS (${messageOf(thrown)})`, {
      where: nats.servers.join(","),
      expected: "a NATS server that a running coordinator uses",
    });
  } finally {
    await link.close();
  }
}

/** The page of the run on this machine that was asked for, else of the newest one that is alive. */
async function announcedUrl(run: string | undefined): Promise<string> {
  if (run !== undefined) {
    const found = await readAnnouncement(run);
    if (found !== undefined) return found.http;
    throw new InputError("no coordinator works on this run", {
      where: resolve(run),
      expected: "the folder of a run that is going on; `npx mzsr runs` lists them",
    });
  }
  const folders = await Promise.all(
    (await readdir("runs").catch(() => [])).map(async (name) => {
      const folder = join("runs", name);
      return { folder, at: (await stat(folder)).mtimeMs };
    }),
  );
  for (const { folder } of folders.sort((a, b) => b.at - a.at)) {
    const found = await readAnnouncement(folder);
    if (found !== undefined) return found.http;
  }
  return DEFAULT_URL;
}

/** fetch hides the reason in the cause. */
function reasonOf(thrown: unknown): string {
  const cause = thrown instanceof Error ? thrown.cause : undefined;
  return cause instanceof Error && cause.message !== "" ? cause.message : messageOf(thrown);
}
