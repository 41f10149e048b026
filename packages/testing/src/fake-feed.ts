/**
 * A coordinator's HTTP interface without a coordinator behind it, for tests of the page: the test decides what has
 * happened and when. It serves the built page under the strictest Content-Security-Policy that the page must bear.
 */
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { extname } from "node:path";
import { fileURLToPath } from "node:url";
import { ActivityLog, StepHistory } from "@mzsr/coordinator";
import type {
  ClusterStatus,
  PreviewImage,
  RunEventRecord,
  RunListing,
  StepSummary,
  StreamMessages,
  ValidationSummary,
  WorkerStatus,
} from "@mzsr/shared";

const PAGE = new URL("../../dashboard/dist/", import.meta.url);
const CONTENT_TYPES: Record<string, string> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript",
  ".css": "text/css",
  ".svg": "image/svg+xml",
  ".woff2": "font/woff2",
};
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; " +
  "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/** What one run is and was. */
export class FakeRun {
  readonly history = new StepHistory();
  readonly activity = new ActivityLog();
  readonly events: RunEventRecord[] = [];
  validations: readonly ValidationSummary[] = [];
  images: readonly PreviewImage[] = [];
  readonly pictures = new Map<string, Buffer>();
  status: ClusterStatus;
  readonly live: boolean;

  constructor(status: ClusterStatus, live = true) {
    this.status = status;
    this.live = live;
  }

  get name(): string {
    return this.status.run;
  }
}

/** Serves runs, the first being the coordinator's own, and lets a test make things happen. */
export class FakeFeed {
  readonly #runs: readonly FakeRun[];
  readonly #streams = new Set<ServerResponse>();
  readonly #server = createServer((request, response) => {
    this.#answer(new URL(request.url!, "http://feed"), response).catch((thrown) => response.destroy(thrown));
  });
  /** Called when a page opens its stream, before it hears of anything. */
  beforeStream: () => void = () => undefined;
  /** Addresses that were asked for. */
  readonly asked: string[] = [];

  constructor(...runs: FakeRun[]) {
    this.#runs = runs;
  }

  get run(): FakeRun {
    return this.#runs[0]!;
  }

  get address(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/`;
  }

  /** @param port the port of an earlier feed to stand in for; any free one by default */
  async listen(port = 0): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(port, "127.0.0.1", resolve));
  }

  /** Ends like a coordinator of a complete run: tells its pages, and waits until they have gone. */
  async end(folder: string): Promise<void> {
    const gone = [...this.#streams].map((stream) => once(stream, "close"));
    this.send("end", { folder });
    await Promise.all(gone);
    await this.stop();
  }

  /** Ends like a coordinator that is killed: every connection is cut. */
  async stop(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.#server.closeAllConnections();
    await closed;
  }

  setStatus(changes: Partial<ClusterStatus>): void {
    this.run.status = { ...this.run.status, ...changes };
    this.send("status", this.run.status);
  }

  step(step: StepSummary): void {
    this.run.history.append(step);
    this.send("step", step);
  }

  event(event: RunEventRecord): void {
    this.run.events.push(event);
    this.send("event", event);
  }

  send<Name extends keyof StreamMessages>(name: Name, message: StreamMessages[Name]): void {
    for (const stream of this.#streams) stream.write(`event: ${name}\ndata: ${JSON.stringify(message)}\n\n`);
  }

  async #answer({ pathname, searchParams }: URL, response: ServerResponse): Promise<void> {
    this.asked.push(pathname);
    if (pathname === "/api/stream") return this.#stream(response);
    if (!pathname.startsWith("/api/")) return sendPage(response, pathname);
    const name = searchParams.get("run");
    const run = name === null ? this.run : this.#runs.find((each) => each.name === name);
    if (run === undefined) return json(response, { error: `there is no run ${name}` }, 404);
    const picture = run.pictures.get(pathname.replace("/api/images/", ""));
    if (picture !== undefined) {
      const headers = { "content-type": "image/png", "cache-control": "public, max-age=31536000, immutable" };
      return void response.writeHead(200, headers).end(picture);
    }
    const answers: Record<string, () => unknown> = {
      "/api/status": () => run.status,
      "/api/metrics": () => run.history.columns(run.name, { points: Number(searchParams.get("points") ?? 600) }),
      "/api/events": () => run.events,
      "/api/activity": () => {
        const workers = searchParams.getAll("worker");
        return run.activity.columns(Date.now(), workers.length === 0 ? undefined : workers);
      },
      "/api/validations": () => run.validations,
      "/api/images": () => run.images,
      "/api/runs": () => this.#runs.map(({ name, live, status }): RunListing => ({ run: name, live, status })),
    };
    const answer = answers[pathname];
    if (answer === undefined) return json(response, { error: `there is no ${pathname}` }, 404);
    return json(response, answer());
  }

  #stream(response: ServerResponse): void {
    this.beforeStream();
    response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-store" });
    this.#streams.add(response);
    response.on("close", () => this.#streams.delete(response));
    response.write(`event: status\ndata: ${JSON.stringify(this.run.status)}\n\n`);
  }
}

/** A worker that works, with what the test wants to be different. */
export function fakeWorker(name: string, changes: Partial<WorkerStatus> = {}): WorkerStatus {
  return {
    worker: name,
    state: "active",
    reason: "joined",
    backend: "simd",
    slots: 2,
    busySlots: 2,
    host: "host-1",
    metricsAddress: "",
    tasksDone: 10,
    tasksFailed: 0,
    secondsPerTask: 0.5,
    lastHeartbeatAgoSeconds: 0.2,
    since: Date.now(),
    ...changes,
  };
}

/** A run in the middle of meta-training. */
export function fakeStatus(changes: Partial<ClusterStatus> = {}): ClusterStatus {
  return {
    run: "fake",
    phase: "training",
    stage: "metaTraining",
    step: 3000,
    totalSteps: 12_000,
    stageStep: 1000,
    stageSteps: 10_000,
    losses: { supportBefore: 0.03, queryBefore: 0.0312, queryAfter: 0.0251 },
    tasksPerSecond: 6.4,
    secondsPerStep: 0.78,
    secondsLeft: 7020,
    backend: "simd",
    workers: [],
    leases: { pending: 0, leased: 0, done: 0, backup: 0, audit: 0 },
    counters: {},
    ...changes,
  };
}

/** Step `step` of a run that pretrains for `pretraining` steps; losses fall like a power, with a fixed ripple. */
export function fakeStep(step: number, pretraining: number): StepSummary {
  const meta = step > pretraining;
  const ripple = 1 + 0.12 * Math.sin(step * 12.9898) * Math.cos(step * 4.1414);
  const before = (0.02 + 0.06 / (1 + step / 400) ** 0.6) * ripple;
  const gain = meta ? 0.22 * (1 - Math.exp(-(step - pretraining) / 900)) : 0;
  return {
    step,
    stage: meta ? "metaTraining" : "pretraining",
    stageStep: meta ? step - pretraining : step,
    supportLosses: meta ? [before * 1.02, before * (1.02 - 0.7 * gain)] : [before],
    queryLosses: meta ? [before, before * (1 - 0.7 * gain), before * (1 - gain)] : [],
    gradientNorm: 0.4 * ripple * ripple,
    learningRate: 1e-4 * (1 - step / 40_000),
    stepWeights: meta ? [0.5, 0.5] : [],
    seconds: 0.78 * ripple,
    tasks: 5,
    workers: 3,
    thetaSha256: "0".repeat(64),
  };
}

function json(response: ServerResponse, value: unknown, status = 200): void {
  response.writeHead(status, { "content-type": "application/json", "cache-control": "no-store" });
  response.end(JSON.stringify(value));
}

async function sendPage(response: ServerResponse, pathname: string): Promise<void> {
  const path = pathname === "/" ? "index.html" : pathname.slice(1);
  const body = await readFile(fileURLToPath(new URL(path, PAGE))).catch(() => undefined);
  if (body === undefined) return json(response, { error: `there is no ${pathname}` }, 404);
  const type = CONTENT_TYPES[extname(path)] ?? "application/octet-stream";
  response.writeHead(200, { "content-type": type, "content-security-policy": POLICY }).end(body);
}
