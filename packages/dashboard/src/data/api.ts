/** The coordinator's HTTP interface as the page uses it. Addresses are relative, so that the page works under a path. */
import type {
  ActivityColumns,
  ClusterStatus,
  MetricsColumns,
  PreviewImage,
  RunEventRecord,
  RunListing,
  ValidationSummary,
} from "@mzsr/shared";

/** Points of the curves: about one for every two pixels of a wide screen. */
const POINTS = 700;
const EVENTS = 2000;

/** The coordinator answered, but not with what was asked for. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
    this.name = "ApiError";
  }
}

/** @param run name of a run; the coordinator's own when undefined */
export class Api {
  readonly #run: string | undefined;

  constructor(run: string | undefined) {
    this.#run = run;
  }

  runs = (): Promise<readonly RunListing[]> => getJson("api/runs");
  status = (): Promise<ClusterStatus> => getJson(this.#address("api/status"));
  metrics = (): Promise<MetricsColumns> => getJson(this.#address("api/metrics", [["points", String(POINTS)]]));
  events = (): Promise<readonly RunEventRecord[]> => getJson(this.#address("api/events", [["last", String(EVENTS)]]));
  /** @param workers whose lanes are wanted; everybody's when undefined */
  activity = (workers?: readonly string[]): Promise<ActivityColumns> =>
    getJson(
      this.#address(
        "api/activity",
        (workers ?? []).map((worker) => ["worker", worker]),
      ),
    );
  validations = (): Promise<readonly ValidationSummary[]> => getJson(this.#address("api/validations"));
  images = (): Promise<readonly PreviewImage[]> => getJson(this.#address("api/images"));

  /** Address of a picture's file. */
  picture(file: string): string {
    return this.#address(`api/images/${encodeURIComponent(file)}`);
  }

  #address(path: string, query: [name: string, value: string][] = []): string {
    const search = new URLSearchParams(query);
    if (this.#run !== undefined) search.set("run", this.#run);
    return search.size === 0 ? path : `${path}?${search}`;
  }
}

async function getJson<T>(address: string): Promise<T> {
  const answer = await fetch(address, { headers: { accept: "application/json" } });
  if (answer.ok) return (await answer.json()) as T;
  const { error } = (await answer.json().catch(() => ({}))) as { error?: string };
  throw new ApiError(answer.status, error ?? `the coordinator answered ${answer.status} to ${address}`);
}
