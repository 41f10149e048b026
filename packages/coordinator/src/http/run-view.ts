/** What the HTTP server can be asked about a run. */
import type {
  ActivityColumns,
  ClusterStatus,
  MetricsColumns,
  RunEventRecord,
  RunListing,
  ValidationSummary,
} from "@mzsr/shared";
import type { HistoryRange } from "../history/step-history.js";

/** A run as the HTTP server sees it. */
export interface RunView {
  readonly folder: string;
  status(): ClusterStatus;
  metrics(range: HistoryRange): MetricsColumns;
  /** In the order of their steps. */
  validations(): readonly ValidationSummary[];
  /** The newest `last` events, oldest first. */
  events(last: number): readonly RunEventRecord[];
  /** @param workers names of those that are asked for; all by default */
  activity(workers?: readonly string[]): ActivityColumns;
}

/** Runs that nobody works on, by name. */
export interface RunCollection {
  find(name: string): Promise<RunView | undefined>;
  list(): Promise<RunListing[]>;
}
