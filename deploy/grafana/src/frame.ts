/** What every dashboard has around its panels: variables, marks of what happened, links to the others. */
import {
  AnnotationQueryBuilder,
  DashboardBuilder,
  DashboardCursorSync,
  DashboardLinkBuilder,
  DashboardLinkType,
  DatasourceVariableBuilder,
  QueryVariableBuilder,
  VariableRefresh,
  VariableSort,
} from "@grafana/grafana-foundation-sdk/dashboard";
import { DATASOURCE } from "./parts.js";

const TAG = "mzsr";

export interface FrameText {
  /** Part of the address, so that links to it survive an update. */
  readonly uid: string;
  readonly title: string;
  readonly description: string;
}

/** An empty dashboard for one run. */
export function frame({ uid, title, description }: FrameText): DashboardBuilder {
  return new DashboardBuilder(title)
    .uid(uid)
    .description(description)
    .tags([TAG])
    .timezone("browser")
    .editable()
    .tooltip(DashboardCursorSync.Crosshair)
    .refresh("5s")
    .time({ from: "now-1h", to: "now" })
    .variables([datasourceVariable(), runVariable(), workerVariable()])
    .annotations(happenings())
    .link(
      new DashboardLinkBuilder("MZSR")
        .type(DashboardLinkType.Dashboards)
        .tags([TAG])
        .asDropdown(false)
        .includeVars(true)
        .keepTime(true),
    );
}

function datasourceVariable(): DatasourceVariableBuilder {
  return new DatasourceVariableBuilder("datasource").label("Prometheus").type("prometheus");
}

function runVariable(): QueryVariableBuilder {
  return new QueryVariableBuilder("run")
    .label("Run")
    .datasource(DATASOURCE)
    .query("label_values(mzsr_steps_planned, run)")
    .refresh(VariableRefresh.OnTimeRangeChanged)
    .sort(VariableSort.AlphabeticalAsc);
}

function workerVariable(): QueryVariableBuilder {
  return new QueryVariableBuilder("worker")
    .label("Worker")
    .datasource(DATASOURCE)
    .query('label_values(mzsr_heartbeat_age_seconds{run="$run"}, worker)')
    .refresh(VariableRefresh.OnTimeRangeChanged)
    .sort(VariableSort.NaturalAsc)
    .multi(true)
    .includeAll(true)
    .allValue(".*");
}

/** Joins, losses and checkpoints, from metrics alone: each compares now with one point earlier. */
function happenings(): AnnotationQueryBuilder[] {
  return [
    happening({
      name: "Joins",
      colour: "green",
      expr: `mzsr_heartbeat_age_seconds{run="$run"} unless on (worker) mzsr_heartbeat_age_seconds{run="$run"} offset $__interval`,
      text: "{{worker}} joined",
    }),
    happening({
      name: "Losses",
      colour: "red",
      expr: `mzsr_workers{run="$run",state="lost"} > mzsr_workers{run="$run",state="lost"} offset $__interval`,
      text: "a worker was lost",
    }),
    // A checkpoint's age falls when there is a newer one.
    happening({
      name: "Checkpoints",
      colour: "blue",
      expr: `mzsr_checkpoint_age_seconds{run="$run"} < mzsr_checkpoint_age_seconds{run="$run"} offset $__interval`,
      text: "checkpoint",
    }),
  ];
}

interface Happening {
  readonly name: string;
  readonly colour: string;
  readonly expr: string;
  readonly text: string;
}

function happening({ name, colour, expr, text }: Happening): AnnotationQueryBuilder {
  return new AnnotationQueryBuilder()
    .name(name)
    .datasource(DATASOURCE)
    .enable(true)
    .iconColor(colour)
    .expr(expr)
    .titleFormat(text)
    .textFormat("")
    .tagKeys("worker")
    .step("5s");
}
