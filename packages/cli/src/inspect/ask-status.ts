/** Asks coordinators for their status, over HTTP or NATS. */
import { basename, resolve } from "node:path";
import { InputError, messageOf, RunError } from "@mzsr/mzsr";
import {
  ANY_STATUS_SUBJECT,
  type ClusterStatus,
  connectNats,
  type NatsLink,
  type NatsOptions,
  statusFromBytes,
  statusSubject,
} from "@mzsr/shared";
import { bearer } from "../cluster/http-access.js";

const ANSWER_MS = 5_000;
/** Coordinators that all hear a question answer within this of each other. */
const PAUSE_MS = 500;

/**
 * @param secret what is shown to the page
 * @throws InputError when no coordinator answers there
 */
export async function askOverHttp(url: string, secret?: string): Promise<ClusterStatus> {
  const wrong = (why: string) =>
    new InputError(`no coordinator answers at ${url} (${why})`, {
      expected:
        "the address of a running coordinator's page in --url, or --run with the folder of a run on this machine",
    });
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol)) throw wrong("not a URL");
  const how = { headers: bearer(secret), signal: AbortSignal.timeout(ANSWER_MS) };
  const response = await fetch(new URL("/api/status", url), how).catch((thrown: unknown) => {
    throw wrong(reasonOf(thrown));
  });
  if (response.status === 401) {
    const given = secret === undefined ? "without its secret" : "to this secret";
    throw new InputError(`the coordinator does not answer ${given}`, {
      where: url,
      expected: "the secret of its page, in MZSR_HTTP_TOKEN or in a file that --http-token-file names",
    });
  }
  const status = (await response.json().catch(() => undefined)) as ClusterStatus | undefined;
  if (!response.ok || status?.workers === undefined) throw wrong(`HTTP ${response.status}, not a cluster's status`);
  return status;
}

/**
 * The status of a run, or of all that are on these servers, by name.
 * @param run name or folder of a run
 * @throws InputError when NATS does not answer; RunError when no coordinator does
 */
export async function askOverNats(nats: NatsOptions, run: string | undefined): Promise<ClusterStatus[]> {
  const where = nats.servers.join(",");
  const link = connectNats({ ...nats, role: "watcher" }, "mzsr status");
  try {
    await link.whenConnected(ANSWER_MS).catch((thrown: unknown) => {
      throw new InputError(messageOf(thrown), { where, expected: "a NATS server that a running coordinator uses" });
    });
    const found = await statusesOver(link, run);
    if (found.length > 0) return found.sort((a, b) => a.run.localeCompare(b.run));
    throw new RunError(
      `${where}: no coordinator ${run === undefined ? "" : `of a run ${nameOf(run)} `}answers over NATS`,
    );
  } finally {
    await link.close();
  }
}

async function statusesOver(link: NatsLink, run: string | undefined): Promise<ClusterStatus[]> {
  const subject = run === undefined ? ANY_STATUS_SUBJECT : statusSubject(nameOf(run));
  const answers = await link.requestAll(subject, new Uint8Array(), ANSWER_MS, PAUSE_MS);
  return answers.map(statusFromBytes);
}

function nameOf(run: string): string {
  return basename(resolve(run));
}

/** fetch hides the reason in the cause. */
function reasonOf(thrown: unknown): string {
  return messageOf(thrown instanceof Error && thrown.cause instanceof Error ? thrown.cause : thrown);
}
