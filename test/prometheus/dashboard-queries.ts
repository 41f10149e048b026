/** The queries of the dashboards, for a Prometheus that runs at many times the speed. */
import type { Dashboard } from "@grafana/grafana-foundation-sdk/dashboard";
import { dashboards } from "../../deploy/grafana/src/dashboards.js";

/** What Grafana would send: of panels, of annotations and of variables. */
export function dashboardQueries(shown: Record<string, Dashboard> = dashboards()): string[] {
  const queries = Object.values(shown).flatMap(({ panels = [], annotations, templating }) => [
    ...panels.flatMap((panel) => ((panel as { targets?: { expr: string }[] }).targets ?? []).map(({ expr }) => expr)),
    ...(annotations?.list ?? []).map(({ expr }) => expr!),
    ...(templating?.list ?? []).flatMap(({ query }) => variableQuery(query)),
  ]);
  return [...new Set(queries)];
}

/** The selector in `label_values(selector, label)`. */
function variableQuery(query: unknown): string[] {
  const selector = typeof query === "string" ? /^label_values\((.*), \w+\)$/.exec(query)?.[1] : undefined;
  return selector === undefined ? [] : [selector];
}

/** The query for a scrape ten times as often and the run `tiny`, whatever its workers. */
export function inPrometheus(query: string): string {
  return query
    .replaceAll("$__rate_interval", "5s")
    .replaceAll("$__interval", "1s")
    .replaceAll("[5m]", "[5s]")
    .replaceAll("$run", "tiny")
    .replaceAll("$worker", ".*");
}
